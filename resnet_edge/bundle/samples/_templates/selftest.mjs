// Run the golden images of this bundle through its ONNX files in Node.js, and say what is off.
//
//   npm install onnxruntime-node && node selftest/selftest.mjs [FILE ...]
//
// FILE is a path as in golden/golden.json. Exit code 0: every image gave what it must; 1: one did not, or
// nothing could be compared. Browsers: selftest/index.html.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { complaints } from "./compare.mjs";
import { decodePng } from "./png.mjs";

const BUNDLE = new URL("../", import.meta.url);

/** @type {import("./compare.mjs").Place} */
const place = {
  bytes: async (path) => new Uint8Array(await readFile(new URL(path, BUNDLE))),
  decode: async (png) => decodePng(png),
  sha256: async (content) => createHash("sha256").update(content).digest("hex"),
};

/** @param {string} path */
const json = async (path) => JSON.parse(await readFile(new URL(path, BUNDLE), "utf8"));

/** @param {any} file @returns {Promise<import("./compare.mjs").Run>} */
async function opened(file) {
  const session = await ort.InferenceSession.create(await place.bytes(file.file));
  const [image] = session.inputNames, [scores] = session.outputNames;
  return async (tensor) => {
    const out = await session.run({ [image]: new ort.Tensor(file.input.dtype, tensor, file.input.shape) });
    return /** @type {any} */ (out[scores].data);
  };
}

const golden = await json("golden/golden.json"), how = await json("preprocessing.json");
const asked = process.argv.slice(2);
const files = golden.files.filter((/** @type {any} */ file) =>
  asked.length ? asked.includes(file.file) : /\.(onnx|ort)$/.test(file.file));
let passed = files.length > 0 && asked.every((name) => files.some((/** @type {any} */ file) => file.file === name));
if (!passed) console.log("FAILED: golden/golden.json has no such .onnx file: nothing was compared");
for (const file of files) {
  let lines;
  try {
    lines = await complaints(place, golden, file, how, "onnxruntime_node", await opened(file));
  } catch (error) {
    lines = [String(error)];
  }
  passed &&= lines.length === 0;
  console.log(`${lines.length ? "FAILED" : "passed"} ${file.file} on onnxruntime_node: ${golden.images.length} images`);
  for (const line of lines) console.log(`  ${line}`);
}
process.exitCode = passed ? 0 : 1;
