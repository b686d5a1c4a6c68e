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
  const found = file.tolerances.find((/** @type {any} */ row) => row.runtime === runtime)
    ?? file.tolerances.find((/** @type {any} */ row) => row.runtime === "default");
  const lines = [];
  for (let i = 0; i < golden.images.length; i++) {
    const wrong = await complaint(place, golden.images[i], file, i, how, found.max_abs, run);
    if (wrong !== null) lines.push(`${golden.images[i].path}: ${wrong}`);
  }
  return lines;
}

/** @param {Place} place @param {any} image @param {any} file @param {number} i @param {any} how
 * @param {number} allowed @param {Run} run */
async function complaint(place, image, file, i, how, allowed, run) {
  const png = await place.bytes(image.path);
  if ((await place.sha256(png)) !== image.sha256) return "the picture is not the one of the bundle: copy it again";
  // A golden image has the model's size: cropping it would be wrong, and the resize must leave it as it is.
  const tensor = tensorOf(prepare(await place.decode(png), { ...how, fit: "stretch" }), file.input);
  if ((await place.sha256(new Uint8Array(tensor.buffer))) !== file.inputs_sha256[i]) {
    return "the INPUT is off: this code makes another tensor of it than it must";
  }
  const scores = real(await run(tensor), file.output), wanted = file.scores[i];
  if (scores.length !== wanted.length) return `the OUTPUT is off: ${scores.length} scores, not ${wanted.length}`;
  const apart = Math.max(...wanted.map((/** @type {number} */ w, /** @type {number} */ k) =>
    Math.abs(scores[k] - Math.fround(w))));
  if (!(apart <= allowed)) {
    return `the OUTPUT is off: a score by ${apart.toPrecision(3)}, and ${allowed.toPrecision(3)} is allowed`;
  }
  return answer(scores, file) === answer(Float32Array.from(wanted), file) ? null : "the OUTPUT is off: the answer is another";
}
