// Success against budget: a panel for each attack, a line with its 95 % band for each network. All looks are attributes of
// the drawing itself, so that it can be saved as it is.

const SVG = 'http://www.w3.org/2000/svg';

const THEMES = {
  light: { paper: '#ffffff', ink: '#1d1a16', soft: '#645d53', line: '#e4ddd1', colours: ['#1f5ab4', '#00806a', '#75691c', '#c8401a', '#9a3aa8', '#47525e', '#b0126b'] },
  dark: { paper: '#211d18', ink: '#f2ede4', soft: '#b3aa9c', line: '#3d372f', colours: ['#7fb0f5', '#4fd0b4', '#d3c46a', '#f0703f', '#d78be4', '#b9c4d0', '#ff7fbd'] },
};

/** The colours that the visitor's machine asks for. */
export const theme = () => (matchMedia('(prefers-color-scheme: dark)').matches ? THEMES.dark : THEMES.light);

/** Those of a saved chart. */
export const LIGHT = THEMES.light;

/** What a network's points look like, for those who do not tell the colours apart: drawn around 0, 0. */
const MARKS = [
  'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z', 'M-3.2 -3.2h6.4v6.4h-6.4z', 'M0 -4.2l3.9 7h-7.8z', 'M0 -4.6l4.4 4.6l-4.4 4.6l-4.4 -4.6z',
  'M0 4.2l3.9 -7h-7.8z', 'M-4 -1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z', 'M-4 -4l8 8m0 -8l-8 8',
];

const node = (tag, attributes, ...children) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, typeof value === 'number' ? Number(value.toFixed(2)) : value);
  made.append(...children);
  return made;
};

/** Round numbers from 0 to `most`, about `count`. */
function ticks(most, count) {
  const raw = most / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * size).find((n) => n >= raw * 0.999) ?? 10 * size;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

const FONT = { 'font-family': 'system-ui, sans-serif', 'font-size': 13 };
/** Which of the points of a dense curve have a mark. */
const EVERY = 4;
/** What share it is unless somebody says otherwise. */
const LABEL = 'digits fooled, %';
/** About how wide a letter is. */
const LETTER = 7.2;

/**
 * Draws.
 * @param {SVGElement} svg
 * @param {{width: number, colours: Record<string, any>, networks: {name: string, title: string, look: number}[],
 *   panels: {attack: string, title: string, axis: string, most: number, dense: boolean}[], curves: any[], note?: string, label?: string,
 *   behind?: {attack: string, network: string, title: string, look: number, points: [number, number][]}[]}} what `look`: which
 *   colour and mark; `curves` as `summarise` has them; a note stands below; `label` says what share it is; `behind`: lines in grey behind them
 */
export function draw(svg, { width, colours, networks, panels, curves, note = '', label = LABEL, behind = [] }) {
  const columns = Math.min(panels.length, Math.max(1, Math.floor(width / 320)), 3);
  const rows = Math.ceil(panels.length / columns);
  const size = { width: width / columns, height: Math.round(Math.min(400, Math.max(270, (0.55 * width) / columns))) };
  const legend = drawLegend(networks, width, colours);
  const height = legend.height + rows * size.height + (note ? 30 : 0);
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height, ...FONT, fill: colours.ink })) svg.setAttribute(name, value);
  svg.replaceChildren(
    node('rect', { width, height, fill: colours.paper }),
    legend.drawing,
    ...panels.map((panel, i) => {
      const place = `translate(${(i % columns) * size.width} ${legend.height + Math.floor(i / columns) * size.height})`;
      const own = curves.filter(({ attack }) => attack === panel.attack);
      const grey = behind.filter(({ attack }) => attack === panel.attack);
      return node('g', { transform: place }, ...drawPanel(panel, size, networks, own, colours, label, grey));
    }),
    ...(note ? [node('text', { x: 12, y: height - 11, fill: colours.soft, 'font-size': 12 }, note)] : []),
  );
}

/** The names of the networks, in as many lines as they need. */
function drawLegend(networks, width, colours) {
  let [x, y] = [12, 20];
  const entries = networks.map(({ title, look }) => {
    const wide = 44 + LETTER * title.length;
    if (x + wide > width && x > 12) [x, y] = [12, y + 22];
    const colour = colours.colours[look % colours.colours.length];
    const entry = node('g', { transform: `translate(${x} ${y})` },
      node('line', { x1: 0, x2: 24, stroke: colour, 'stroke-width': 2.5 }),
      node('path', { d: MARKS[look % MARKS.length], transform: 'translate(12 0)', fill: colour, stroke: colour }),
      node('text', { x: 30, y: 4.5 }, title));
    x += wide + 10;
    return entry;
  });
  return { drawing: node('g', {}, ...entries), height: y + 14 };
}

function drawPanel({ title, axis, most, dense }, { width, height }, networks, curves, colours, label, behind) {
  const [left, right, top, bottom] = [50, width - 14, 30, height - 46];
  const x = (value) => left + ((right - left) * value) / (1.03 * most);
  const y = (share) => bottom - (bottom - top) * share;
  const text = (attributes, words) => node('text', attributes, words);
  const soft = { fill: colours.soft, 'font-size': 12 };
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    node('line', { x1: left, x2: right, y1: y(share), y2: y(share), stroke: share ? colours.line : colours.soft }),
    text({ x: left - 7, y: y(share) + 4, 'text-anchor': 'end', ...soft }, String(100 * share)),
  ]);
  const below = ticks(most, Math.min(8, Math.floor(width / 70))).flatMap((value) => [
    node('line', { x1: x(value), x2: x(value), y1: bottom, y2: bottom + 5, stroke: colours.soft }),
    text({ x: x(value), y: bottom + 19, 'text-anchor': 'middle', ...soft }, value.toLocaleString('en')),
  ]);
  const titles = [
    text({ x: left, y: 16, 'font-weight': 600 }, title),
    text({ x: (left + right) / 2, y: height - 8, 'text-anchor': 'middle', ...soft }, axis),
    text({ transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, 'text-anchor': 'middle', ...soft }, label),
  ];
  const lines = networks.map(({ name, title: who, look }) => {
    const colour = colours.colours[look % colours.colours.length];
    const own = curves.filter(({ network }) => network === name);
    const at = (point, share) => `${x(point.x).toFixed(1)},${y(share).toFixed(1)}`;
    const band = [...own.map((point) => at(point, point.fooled[2])), ...own.toReversed().map((point) => at(point, point.fooled[1]))];
    const marks = own.filter((_, i) => !dense || i % EVERY === 0).map((point) => {
      const share = (i) => (100 * point.fooled[i]).toFixed(1);
      const words = `${who}, ${Number(point.x.toPrecision(3))}: ${point.hits} of ${point.attacked} fooled, ${share(0)} % (${share(1)} to ${share(2)})`;
      return node('path', { d: MARKS[look % MARKS.length], transform: `translate(${at(point, point.fooled[0]).replace(',', ' ')})`, fill: colour, stroke: colour }, node('title', {}, words));
    });
    return node('g', { 'data-network': name },
      node('polygon', { points: band.join(' '), fill: colour, 'fill-opacity': networks.length > 2 ? 0.1 : 0.16 }),
      node('polyline', { points: own.map((point) => at(point, point.fooled[0])).join(' '), fill: 'none', stroke: colour, 'stroke-width': 2.5, 'stroke-linejoin': 'round' }),
      ...marks);
  });
  const before = behind.map(({ network, title: who, look, points }) => {
    const own = points.filter(([at]) => at <= 1.03 * most);
    return node('g', { 'data-behind': network, stroke: colours.soft, 'stroke-opacity': 0.8 },
      node('polyline', { points: own.map(([at, share]) => `${x(at).toFixed(1)},${y(share).toFixed(1)}`).join(' '), fill: 'none', 'stroke-width': 1.5 }),
      ...own.filter((_, i) => i % 8 === 4).map(([at, share]) => node('path', { d: MARKS[look % MARKS.length], transform: `translate(${x(at).toFixed(1)} ${y(share).toFixed(1)})`, fill: colours.paper }, node('title', {}, who))));
  });
  return [...grid, ...below, ...titles, ...before, ...lines];
}

