// The pixels of a PNG in Node.js, which has no decoder: 8 bits a sample, grey, RGB or RGBA, not interlaced,
// as the golden images are. An app takes sharp or the like.
import { inflateSync } from "node:zlib";

const CHANNELS = /** @type {Record<number, number>} */ ({ 0: 1, 2: 3, 6: 4 }); // by colour type

/** @param {Uint8Array} png @returns {import("../samples/javascript/preprocess.mjs").Picture} RGBA */
export function decodePng(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const width = view.getUint32(16), height = view.getUint32(20), channels = CHANNELS[png[25]];
  if (png[24] !== 8 || channels === undefined || png[28] !== 0) {
    throw new Error("this PNG has not 8 bits of grey, RGB or RGBA, or it is interlaced");
  }
  const parts = [];
  for (let at = 8; at < png.length; at += view.getUint32(at) + 12) {
    const kind = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (kind === "IDAT") parts.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const plain = unfiltered(inflateSync(Buffer.concat(parts)), width * channels, height, channels);
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[i * 4 + c] = plain[i * channels + (channels === 1 ? 0 : c)];
    data[i * 4 + 3] = channels === 4 ? plain[i * 4 + 3] : 255;
  }
  return { width, height, channels: 4, data };
}

/** Undo the filter of each row (PNG specification, 9.2).
 * @param {Uint8Array} raw @param {number} row @param {number} rows @param {number} back bytes a pixel */
function unfiltered(raw, row, rows, back) {
  const out = new Uint8Array(row * rows);
  for (let y = 0; y < rows; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const a = x >= back ? out[y * row + x - back] : 0, b = y ? out[(y - 1) * row + x] : 0;
      const c = x >= back && y ? out[(y - 1) * row + x - back] : 0;
      const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return out;
}

/** @param {number} a @param {number} b @param {number} c */
function paeth(a, b, c) {
  const [fromA, fromB, fromC] = [a, b, c].map((v) => Math.abs(a + b - c - v));
  return fromA <= fromB && fromA <= fromC ? a : fromB <= fromC ? b : c;
}
