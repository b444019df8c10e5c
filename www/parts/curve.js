// Loss and probability of the false label over the steps of an attack, as a drawing.

const WIDTH = 600;
const HEIGHT = 150;
const SVG = 'http://www.w3.org/2000/svg';

const node = (tag, attributes) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

export class Curve {
  #lines = {};
  #marker;
  #words;
  #frames = [];

  /** @param {SVGElement} svg what to draw in  @param {HTMLElement} words says what the axes span */
  constructor(svg, words) {
    this.#words = words;
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    this.#marker = node('line', { class: 'marker', y1: 0, y2: HEIGHT, x1: -9, x2: -9 });
    for (const name of ['loss', 'confidence']) this.#lines[name] = node('polyline', { class: name, points: '' });
    svg.replaceChildren(this.#marker, ...Object.values(this.#lines));
  }

  /** Draws the frames of an attack: [{step, loss, confidence}]. */
  draw(frames) {
    this.#frames = frames;
    const most = Math.max(...frames.map(({ loss }) => loss), 1e-9);
    const line = (height) =>
      frames.map((frame, i) => `${this.#x(i).toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 4) * height(frame)).toFixed(1)}`).join(' ');
    this.#lines.loss.setAttribute('points', line(({ loss }) => Math.max(loss, 0) / most));
    this.#lines.confidence.setAttribute('points', line(({ confidence }) => confidence));
    this.#words.textContent = frames.length ? `0 to ${most.toFixed(most < 1 ? 3 : 1)} nats` : '';
  }

  #x(i) {
    return (WIDTH * i) / Math.max(this.#frames.length - 1, 1);
  }

  /** Marks a frame. */
  mark(i) {
    const x = this.#frames.length ? this.#x(i).toFixed(1) : -9;
    this.#marker.setAttribute('x1', x);
    this.#marker.setAttribute('x2', x);
  }
}
