// A row or grid of which one is picked: native radio buttons, so that the keyboard and screen readers know
// what to do; with `columns`, arrow up and down move by a row.

export class Choices {
  #inputs = new Map();

  /**
   * @param {HTMLElement} element what to fill
   * @param {{name: string, options: {value: string, label: string, note?: string, content?: Node}[], columns?: number,
   *   onPick: (value: string) => void}} options
   */
  constructor(element, { name, options, columns = 0, onPick }) {
    element.replaceChildren(
      ...options.map(({ value, label, note, content }) => {
        const wrapper = document.createElement('label');
        const input = Object.assign(document.createElement('input'), { type: 'radio', name, value });
        input.addEventListener('change', () => onPick(value));
        const face = document.createElement('span');
        if (content) {
          input.setAttribute('aria-label', label);
          face.append(content);
          wrapper.title = label;
        } else {
          face.textContent = label;
          if (note) face.append(' ', Object.assign(document.createElement('small'), { textContent: note }));
        }
        wrapper.append(input, face);
        this.#inputs.set(value, input);
        return wrapper;
      }),
    );
    // In place of that of the choices that were here before.
    element.onkeydown = null;
    if (columns) {
      element.onkeydown = (/** @type {any} */ event) => {
        const by = { ArrowUp: -columns, ArrowDown: columns }[event.key];
        const at = options.findIndex(({ value }) => value === event.target.value);
        const to = options[at + by];
        if (!by || at < 0) return;
        event.preventDefault();
        if (to) this.#inputs.get(to.value).click();
        if (to) this.#inputs.get(to.value).focus();
      };
    }
  }

  pick(value) {
    const input = this.#inputs.get(value);
    if (input) input.checked = true;
  }

  /** Which values cannot be picked. */
  disable(values) {
    for (const [value, input] of this.#inputs) input.disabled = values.includes(value);
  }
}
