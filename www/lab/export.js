// The results as files: records as CSV and JSON, the chart as SVG and PNG.

import { png as pngOf } from '../parts/download.js';

/** A value in a table of comma-separated values; what is not there is left empty. */
const cell = (/** @type {any} */ value) => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A line for each record, below the names of its fields. @param {string[]} fields @param {Record<string, any>[]} records */
export const csv = (fields, records) => [fields, ...records.map((record) => fields.map((name) => record[name]))].map((row) => `${row.map(cell).join(',')}\n`).join('');

/** Settings and records, one a line. @param {Record<string, any>} settings @param {string[]} fields @param {Record<string, any>[]} records */
export function json(settings, fields, records) {
  const lines = records.map((record) => JSON.stringify(Object.fromEntries(fields.map((name) => [name, record[name]]))));
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
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(image, 0, 0, canvas.width, canvas.height);
    return await pngOf(canvas);
  } finally {
    URL.revokeObjectURL(url);
  }
}
