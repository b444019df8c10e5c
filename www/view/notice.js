// What the pages say above their forms and of their results.

/** Words above the form, with a button that tries again when `retry` is given. */
export function notify(message, retry) {
  const notice = document.getElementById('notice');
  notice.replaceChildren(message);
  if (retry) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again' });
    button.addEventListener('click', retry);
    notice.append(button);
  }
  notice.hidden = !message;
}

/** Puts a state into `#result`, for people and for programs. */
export function report(dataState, words, data = {}) {
  const result = document.getElementById('result');
  for (const name of Object.keys(result.dataset)) delete result.dataset[name];
  Object.assign(result.dataset, { state: dataState }, data);
  result.textContent = words;
}
