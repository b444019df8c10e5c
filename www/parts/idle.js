// Waits until nothing more urgent is to be done.

/** Fulfilled when the browser has time, at the latest after so many milliseconds. @param {number} [most] */
export const idle = (most = 500) => new Promise((resolve) => {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(undefined), { timeout: most });
  else setTimeout(resolve, 30);
});
