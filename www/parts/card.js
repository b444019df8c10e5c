// A picture of an attack to be passed on: yours, what is added, attacked, what the network sees, and one sentence.

/** Its size, as pages that show links have it. */
export const [WIDTH, HEIGHT] = [1200, 630];

/** What it looks like, whatever the page looks like: others see it on pages of their own. */
const LOOK = { paper: '#fbf9f5', ink: '#1d1a16', soft: '#645d53', line: '#ddd6ca', red: '#c8401a' };
const FONT = 'system-ui, sans-serif';

/**
 * @typedef {{sentence: string, numbers: string, foot: string, fooled: boolean, pictures: {canvas: HTMLCanvasElement | null, words: string, sign: string, paper?: boolean}[]}} Card
 *   what is on it; a picture's sign stands before it, and it lies on black, or on paper
 */

/** Draws a card. @param {HTMLCanvasElement} canvas of any size of that shape @param {Card} card @param {number} [shown] how many of the pictures */
export function drawCard(canvas, { sentence, numbers, foot, fooled, pictures }, shown = pictures.length) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.setTransform(canvas.width / WIDTH, 0, 0, canvas.height / HEIGHT, 0, 0);
  Object.assign(context, { fillStyle: LOOK.paper, textAlign: 'center', textBaseline: 'alphabetic', imageSmoothingEnabled: false });
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const all = shown === pictures.length;
  const text = (/** @type {string} */ words, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ size, /** @type {string} */ colour, weight = 400) => {
    context.fillStyle = colour;
    for (let large = size; large > 14; large -= 2) {
      context.font = `${weight} ${large}px ${FONT}`;
      if (context.measureText(words).width < WIDTH - 80) break;
    }
    context.fillText(words, x, y);
  };
  if (all) text(sentence, WIDTH / 2, 105, 54, fooled ? LOOK.red : LOOK.ink, 700);
  const [side, gap, top] = [232, 52, 175];
  const left = (WIDTH - pictures.length * side - (pictures.length - 1) * gap) / 2;
  pictures.slice(0, shown).forEach(({ canvas: picture, words, sign, paper }, i) => {
    const x = left + i * (side + gap);
    context.fillStyle = paper ? '#fff' : '#000';
    context.fillRect(x, top, side, side);
    if (picture) context.drawImage(picture, x, top, side, side);
    Object.assign(context, { strokeStyle: fooled && i === 2 ? LOOK.red : LOOK.line, lineWidth: fooled && i === 2 ? 6 : 2 });
    context.strokeRect(x, top, side, side);
    if (sign) text(sign, x - gap / 2, top + side / 2 + 14, 40, LOOK.soft);
    context.font = `400 26px ${FONT}`;
    context.fillStyle = LOOK.ink;
    context.fillText(words, x + side / 2, top + side + 40, side + 20);
  });
  if (all) text(numbers, WIDTH / 2, 530, 28, LOOK.soft);
  text(foot, WIDTH / 2, 592, 24, LOOK.soft);
}
