// The self-test itself, the same in Node.js and in a browser: from a golden image to scores, and what is off.
import { answer, prepare, real, tensorOf } from "../samples/javascript/preprocess.mjs";

/** @typedef {import("../samples/javascript/preprocess.mjs").Picture} Picture */
/** @typedef {{
 *   bytes: (path: string) => Promise<Uint8Array>,
 *   decode: (png: Uint8Array) => Promise<Picture>,
 *   sha256: (content: Uint8Array) => Promise<string>,
 * }} Place  how to read the bundle here; `decode` is what the app does with a photo */
/** @typedef {(tensor: any) => Promise<ArrayLike<number>>} Run  scores as stored */

/** golden/golden.json and preprocessing.json, parsed. Throws where one is missing, or not the one of bundle.json.
 * @param {Place} place */
export async function documents(place) {
  const index = await json(place, "bundle.json");
  for (const path of ["golden/golden.json", "preprocessing.json", "labels.txt"]) {
    if ((await whole(place, path, index.sha256?.[path])) === null) throw new Error(`${path} ${AGAIN}`);
  }
  return { golden: await json(place, "golden/golden.json"), how: await json(place, "preprocessing.json") };
}

const AGAIN = "is missing or not the one of the bundle: copy it again";

/** @param {Place} place @param {string} path @returns {Promise<any>} */
async function json(place, path) {
  const content = await place.bytes(path).catch(() => null);
  try {
    if (content !== null) return JSON.parse(new TextDecoder().decode(content)) ?? {};
  } catch { /* said below */ }
  throw new Error(`${path} cannot be read: copy it again`);
}

/** The bytes of a file; null where it is missing, or another one. @param {Place} place @param {string} path
 * @param {string} sha256 */
async function whole(place, path, sha256) {
  const content = await place.bytes(path).catch(() => null);
  return content !== null && (await place.sha256(content)) === sha256 ? content : null;
}

/** What is off with one model file, a line for each image. Throws where there is nothing to compare.
 * @param {Place} place @param {any} golden @param {any} file @param {any} how
 * @param {() => Promise<{ runtime: string, run: Run }>} open  asked once the file is known to be whole
 * @returns {Promise<string[]>} */
export async function complaints(place, golden, file, how, open) {
  if (golden.images.length === 0) throw new Error("there is no golden image: nothing was compared");
  if ((await whole(place, file.file, file.sha256)) === null) return [`the model file ${AGAIN}`];
  const stored = await whole(place, file.scores, file.scores_sha256);
  if (stored === null) return [`${file.scores} ${AGAIN}`];
  const rows = floats(stored), classes = rows.length / golden.images.length;
  const { runtime, run } = await open();
  const found = file.tolerances.find((/** @type {any} */ row) => row.runtime === runtime)
    ?? file.tolerances.find((/** @type {any} */ row) => row.runtime === "default");
  const lines = [];
  for (let i = 0; i < golden.images.length; i++) {
    const wanted = rows.subarray(i * classes, (i + 1) * classes);
    const wrong = await complaint(place, golden.images[i], file, i, how, found.max_abs, run, wanted);
    if (wrong !== null) lines.push(`${golden.images[i].path}: ${wrong}`);
  }
  return lines;
}

/** Float32, little-endian. @param {Uint8Array} bytes */
function floats(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, k) => view.getFloat32(4 * k, true));
}

/** @param {Place} place @param {any} image @param {any} file @param {number} i @param {any} how
 * @param {number} allowed @param {Run} run @param {Float32Array} wanted */
async function complaint(place, image, file, i, how, allowed, run, wanted) {
  const png = await whole(place, image.path, image.sha256);
  if (png === null) return `the picture ${AGAIN}`;
  // A golden image has the model's size: cropping it would be wrong, and the resize must leave it as it is.
  // What is no photo is an array of samples already.
  const picture = how.colour === "samples"
    ? { width: how.width, height: how.height, channels: how.samples, data: png }
    : prepare(await place.decode(png), { ...how, fit: "stretch" });
  const tensor = tensorOf(picture, file.input);
  if ((await place.sha256(new Uint8Array(tensor.buffer))) !== file.inputs_sha256[i]) {
    return "the INPUT is off: this code makes another tensor of it than it must";
  }
  const scores = real(await run(tensor), file.output);
  if (scores.length !== wanted.length) return `the OUTPUT is off: ${scores.length} scores, not ${wanted.length}`;
  // NaN stays, and is more than anything that is allowed.
  const apart = wanted.reduce((most, w, k) => Math.max(most, Math.abs(scores[k] - w)), 0);
  if (!(apart <= allowed)) {
    return `the OUTPUT is off: a score by ${apart.toPrecision(3)}, and ${allowed.toPrecision(3)} is allowed`;
  }
  return answer(scores, file) === answer(wanted, file) ? null : "the OUTPUT is off: the answer is another";
}
