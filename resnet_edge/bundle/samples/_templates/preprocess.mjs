// From a photo's pixels to the model's input tensor, and from its output to scores. No dependency.
// The pixels are those of Pillow, to the bit: the model was proved with them. What a canvas or a GPU makes of
// the same photo is another picture, and the model's answers change with it.

/** @typedef {{width: number, height: number, channels: number, data: Uint8Array | Uint8ClampedArray}} Picture */
/** @typedef {{height: number, width: number, colour: string, fit: string, crop_fraction: number,
 *             interpolation: string, antialias: boolean}} Contract  as in preprocessing.json */
/** @typedef {{dtype: string, shape: number[], scale: number | null, zero_point: number | null}} End
 *             a tensor, as in golden/golden.json */

const BITS = 22; // Pillow's PRECISION_BITS, 32 - 8 - 2

/** An upright RGBA picture as the model takes it: colour, crop, resize. Transparency is dropped.
 * @param {Picture} rgba @param {Contract} how @returns {Picture} */
export function prepare(rgba, how) {
  const picture = crop(how.colour === "grey" ? grey(rgba) : rgb(rgba), how);
  if (how.interpolation === "nearest") return nearest(picture, how);
  return how.antialias ? antialiased(picture, how) : plain(picture, how);
}

/** @param {Picture} p @returns {Picture} */
function rgb({ width, height, channels, data }) {
  const out = new Uint8Array(width * height * 3);
  for (let i = 0, from = 0; i < out.length; i += 3, from += channels) {
    for (let c = 0; c < 3; c++) out[i + c] = data[from + c];
  }
  return { width, height, channels: 3, data: out };
}

/** ITU-R BT.601, in Pillow's fixed point. @param {Picture} p @returns {Picture} */
function grey({ width, height, channels, data }) {
  const out = new Uint8Array(width * height);
  for (let i = 0, from = 0; i < out.length; i++, from += channels) {
    out[i] = (19595 * data[from] + 38470 * data[from + 1] + 7471 * data[from + 2] + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}

/** @param {Picture} picture @param {Contract} how @returns {Picture} */
function crop(picture, how) {
  if (how.fit !== "crop") return picture;
  const { width, height, channels, data } = picture;
  const side = Math.max(1, Math.floor(how.crop_fraction * Math.min(width, height) + 0.5));
  const left = (width - side) >> 1, top = (height - side) >> 1;
  const out = new Uint8Array(side * side * channels), row = side * channels;
  for (let y = 0; y < side; y++) {
    const start = ((top + y) * width + left) * channels;
    out.set(data.subarray(start, start + row), y * row);
  }
  return { width: side, height: side, channels, data: out };
}

/** How far a filter reaches, and its weights: the triangle, or the cubic of Keys with a = -0.5. */
const FILTERS = /** @type {Record<string, {reach: number, weight: (x: number) => number}>} */ ({
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    reach: 2,
    weight: (x) => {
      x = Math.abs(x);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
});

/** For each of `wanted` outputs along an axis of `size` pixels: the first pixel, and weights that sum to one.
 * @param {number} size @param {number} wanted @param {string} name @param {boolean} antialias */
function taps(size, wanted, name, antialias) {
  const { reach, weight } = FILTERS[name];
  const step = size / wanted, wide = antialias ? Math.max(1, step) : 1, support = reach * wide;
  return Array.from({ length: wanted }, (_, i) => {
    const centre = (i + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(size, Math.trunc(centre + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, k) => weight((k + first - centre + 0.5) * (1 / wide)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
}

/** Pillow's resize: across and down, each in 22-bit fixed point and rounded to bytes. Tall photos go down first
 * (Pillow 13; before, none did, and a level here and there came out otherwise).
 * @param {Picture} picture @param {Contract} how @returns {Picture} */
function antialiased(picture, how) {
  const { width, height } = picture;
  const downFirst = height > how.height && height - how.height > 2 * (width - how.width);
  return downFirst ? across(down(picture, how), how) : down(across(picture, how), how);
}

/** @param {number} size @param {number} wanted @param {Contract} how */
function fixed(size, wanted, how) {
  return taps(size, wanted, how.interpolation, true).map(({ first, weights }) =>
    ({ first, weights: weights.map((w) => Math.trunc(w * 2 ** BITS + (w < 0 ? -0.5 : 0.5))) }));
}

/** @param {Picture} picture @param {Contract} how @returns {Picture} */
function across({ width, height, channels, data }, how) {
  const out = new Uint8Array(how.width * height * channels);
  fixed(width, how.width, how).forEach(({ first, weights }, x) => {
    for (let y = 0; y < height; y++) {
      for (let c = 0; c < channels; c++) {
        let sum = 2 ** (BITS - 1);
        for (let k = 0; k < weights.length; k++) sum += data[(y * width + first + k) * channels + c] * weights[k];
        out[(y * how.width + x) * channels + c] = byte(sum >> BITS);
      }
    }
  });
  return { width: how.width, height, channels, data: out };
}

/** @param {Picture} picture @param {Contract} how @returns {Picture} */
function down({ width, height, channels, data }, how) {
  const row = width * channels, out = new Uint8Array(row * how.height);
  fixed(height, how.height, how).forEach(({ first, weights }, y) => {
    for (let x = 0; x < row; x++) {
      let sum = 2 ** (BITS - 1);
      for (let k = 0; k < weights.length; k++) sum += data[(first + k) * row + x] * weights[k];
      out[y * row + x] = byte(sum >> BITS);
    }
  });
  return { width, height: how.height, channels, data: out };
}

/** The nearest two (bilinear) or four (bicubic) pixels each way alone, rounded once, half up.
 * @param {Picture} picture @param {Contract} how @returns {Picture} */
function plain({ width, height, channels, data }, how) {
  const columns = taps(width, how.width, how.interpolation, false);
  const out = new Uint8Array(how.width * how.height * channels);
  let at = 0;
  for (const down of taps(height, how.height, how.interpolation, false)) {
    for (const { first, weights } of columns) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        down.weights.forEach((v, j) => weights.forEach((w, k) => {
          sum += v * w * data[((down.first + j) * width + first + k) * channels + c];
        }));
        // Nine decimals first: a tie must not fall to the side that a sum's last bit is on.
        out[at++] = byte(Math.floor(Math.round(sum * 1e9) / 1e9 + 0.5));
      }
    }
  }
  return { width: how.width, height: how.height, channels, data: out };
}

/** @param {Picture} picture @param {Contract} how @returns {Picture} */
function nearest({ width, height, channels, data }, how) {
  const out = new Uint8Array(how.width * how.height * channels);
  // Pillow adds the step up, and so the rounding errors too.
  let at = 0, y = height / how.height / 2;
  for (let j = 0; j < how.height; j++, y += height / how.height) {
    let x = width / how.width / 2;
    for (let i = 0; i < how.width; i++, x += width / how.width) {
      const from = (Math.trunc(y) * width + Math.trunc(x)) * channels;
      for (let c = 0; c < channels; c++) out[at++] = data[from + c];
    }
  }
  return { width: how.width, height: how.height, channels, data: out };
}

/** @param {number} value */
const byte = (value) => Math.max(0, Math.min(255, value));

const ARRAYS = /** @type {Record<string, any>} */ ({ float32: Float32Array, uint8: Uint8Array, int8: Int8Array });

/** The input tensor, as the file stores it. @param {Picture} picture @param {End} end
 * @returns {Float32Array | Uint8Array | Int8Array} */
export function tensorOf({ width, height, channels, data }, end) {
  const wanted = end.shape[3], values = new Float32Array(width * height * wanted);
  for (let i = 0; i < values.length; i++) {
    values[i] = channels === 1 ? data[Math.floor(i / wanted)] : data[i];
  }
  if (end.scale === null) return ARRAYS[end.dtype].from(values);
  const scale = Math.fround(end.scale), point = end.zero_point ?? 0;
  const [least, most] = end.dtype === "int8" ? [-128, 127] : [0, 255];
  return ARRAYS[end.dtype].from(values, (/** @type {number} */ v) =>
    Math.max(least, Math.min(most, halfEven(Math.fround(v / scale)) + point)));
}

/** @param {number} x */
function halfEven(x) {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** An output tensor as numbers. @param {ArrayLike<number>} stored @param {End} end */
export function real(stored, end) {
  const scale = Math.fround(end.scale ?? 1), point = end.zero_point ?? 0;
  return Float32Array.from(stored, (v) => (end.scale === null ? v : (v - point) * scale));
}

/** @typedef {{ kind: string, head: string, threshold: number | null, thresholds: number[] }} Head */

/** The class; one score is that of the second of two, and counts from a threshold on. Of several labels, 1 for
 * each that is above its threshold, as "0,1,1". Numbers of an embedding have no answer: -1.
 * @param {ArrayLike<number>} scores @param {Head} file  of golden/golden.json */
export function answer(scores, file) {
  if (file.head === "embedding") return -1;
  const above = file.thresholds.map((limit, i) => Number(scores[i] > Math.fround(limit)));
  if (file.head === "multilabel") return above.join();
  if (above.length) return above[0];
  const row = Array.from(scores);
  return row.indexOf(Math.max(...row));
}

/** The best three answers: [index, share of one]; of several labels, all that are given, the most likely first; of an
 * embedding none.
 * @param {Float32Array} scores @param {Head} file  of golden/golden.json */
export function best(scores, file) {
  if (file.head === "embedding") return [];
  const first = answer(scores, file), shares = sharesOf(scores, file);
  if (file.head === "multilabel") {
    return shares.map((share, i) => /** @type {[number, number]} */ ([i, share]))
      .filter(([i]) => scores[i] > Math.fround(file.thresholds[i])).sort((a, b) => b[1] - a[1]);
  }
  return shares.map((share, i) => /** @type {[number, number]} */ ([i, share]))
    .sort((a, b) => Number(b[0] === first) - Number(a[0] === first) || b[1] - a[1]).slice(0, 3);
}

/** @param {Float32Array} scores @param {Head} file */
function sharesOf(scores, file) {
  const sigmoid = (/** @type {number} */ v) => 1 / (1 + Math.exp(-v));
  if (file.head === "multilabel") return Array.from(scores, (v) => (file.kind === "logits" ? sigmoid(v) : v));
  if (file.threshold === null) return file.kind === "logits" ? softmax(scores) : Array.from(scores);
  const second = file.kind === "logits" ? sigmoid(scores[0]) : scores[0];
  return [1 - second, second];
}

/** Shares of one from logits. @param {Float32Array} scores */
function softmax(scores) {
  const most = Math.max(...scores), powers = Array.from(scores, (v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}
