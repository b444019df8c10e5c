// The results as files: records as CSV and JSON, the chart as SVG and PNG.

/** The fields of a record, in their order. */
export const FIELDS = [
  'dataset', 'network', 'reading', 'attack', 'norm', 'budget', 'index', 'label', 'target', 'clean_predicted', 'predicted', 'success',
  'confidence', 'l0', 'l1', 'l2', 'linf', 'ssim', 'valid', 'grade', 'survives_png', 'steps', 'gradients', 'queries',
];

/** A value in a table of comma-separated values; what is not there is left empty. */
const cell = (value) => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A line for each record, below the names of the fields. */
export const csv = (records) => [FIELDS, ...records.map((record) => FIELDS.map((name) => record[name]))].map((row) => `${row.map(cell).join(',')}\n`).join('');

/** Settings and records, one a line. */
export function json(settings, records) {
  const lines = records.map((record) => JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, record[name]]))));
  return `{"settings": ${JSON.stringify(settings)},\n"records": [\n${lines.join(',\n')}\n]}\n`;
}

/** A drawing as the text of a file. */
export const svgText = (svg) => `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;

/** A drawing as a PNG, twice as large. */
export async function png(svg) {
  const url = URL.createObjectURL(new Blob([svgText(svg)], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: 2 * image.naturalWidth, height: 2 * image.naturalHeight });
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The chart could not be drawn as a PNG.')))));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Offers a file. */
export function save(name, content, type) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // Some browsers begin to read it only after the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
