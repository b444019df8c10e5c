// Many digits on one canvas, of which some have fallen: those are framed in red, with what is read instead.

/** Digits in a row, the side of a digit, and the room around it. */
const [ROW, SIDE, ROOM] = [10, 28, 4];

export class Mosaic {
  #canvas;
  #context;
  /** What is drawn of each, so that nothing is drawn twice. @type {(string | null)[]} */
  #drawn = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    canvas.setAttribute('role', 'img');
    this.#context = canvas.getContext('2d');
  }

  /** Makes room for so many. @param {number} count */
  start(count) {
    const side = SIDE + ROOM;
    Object.assign(this.#canvas, { width: ROW * side, height: Math.ceil(count / ROW) * side });
    this.#drawn = new Array(count).fill(null);
  }

  /**
   * Shows one: as it is, or fallen to a label.
   * @param {number} place @param {Float32Array} image @param {string | null} fallen what is read instead; '' for a refusal @param {string} [state] what else tells this image from others
   */
  show(place, image, fallen, state = '') {
    const now = `${fallen} ${state}`;
    const context = this.#context;
    if (!context || this.#drawn[place] === now) return;
    this.#drawn[place] = now;
    const side = SIDE + ROOM;
    const [x, y] = [(place % ROW) * side, Math.floor(place / ROW) * side];
    const red = getComputedStyle(document.body).getPropertyValue('--accent');
    context.fillStyle = fallen ? red : '#000';
    context.fillRect(x, y, side - 1, side - 1);
    const data = context.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) data.data.set([255 * image[i], 255 * image[i], 255 * image[i], 255], 4 * i);
    context.putImageData(data, x + ROOM / 2, y + ROOM / 2);
    if (!fallen) return;
    context.fillStyle = red;
    context.fillRect(x + side - 13, y + side - 15, 12, 14);
    Object.assign(context, { fillStyle: '#fff', font: '700 12px system-ui, sans-serif', textAlign: 'center', textBaseline: 'middle' });
    context.fillText(fallen, x + side - 7, y + side - 7.5);
  }

  /** What it shows, in words. @param {string} words */
  describe(words) {
    this.#canvas.setAttribute('aria-label', words);
  }
}
