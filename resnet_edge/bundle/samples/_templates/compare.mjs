// The self-test itself, the same in Node.js and in a browser: from a golden image to scores, and what is off.
import { answer, prepare, real, tensorOf } from "../samples/javascript/preprocess.mjs";

/** @typedef {import("../samples/javascript/preprocess.mjs").Picture} Picture */
/** @typedef {{
 *   bytes: (path: string) => Promise<Uint8Array>,
 *   decode: (png: Uint8Array) => Promise<Picture>,
 *   sha256: (content: Uint8Array) => Promise<string>,
 * }} Place  how to read the bundle here; `decode` is what the app does with a photo */
/** @typedef {(tensor: any) => Promise<ArrayLike<number>>} Run  scores as stored */

/** What is off with one model file, a line for each image. Throws where there is nothing to compare.
 * @param {Place} place @param {any} golden @param {any} file @param {any} how @param {string} runtime
 * @param {Run} run @returns {Promise<string[]>} */
export async function complaints(place, golden, file, how, runtime, run) {
  if (golden.images.length === 0) throw new Error("there is no golden image: nothing was compared");
  if ((await place.sha256(await place.bytes(file.file))) !== file.sha256) {
    return ["the model file is not the one of the bundle: copy it again"];
  }
  const stored = await place.bytes(file.scores);
  if ((await place.sha256(stored)) !== file.scores_sha256) {
    return [`${file.scores} is not the one of the bundle: copy it again`];
  }
  const rows = floats(stored), classes = rows.length / golden.images.length;
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
  const png = await place.bytes(image.path);
  if ((await place.sha256(png)) !== image.sha256) return "the picture is not the one of the bundle: copy it again";
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
