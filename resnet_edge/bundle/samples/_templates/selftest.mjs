// Run the golden images of this bundle through its ONNX files in Node.js, and say what is off.
//
//   npm install onnxruntime-node && node selftest/selftest.mjs [FILE ...]
//
// FILE is a path as in golden/golden.json. Exit code 0: every image gave what it must; 1: one did not, or
// nothing could be compared. Browsers: selftest/index.html.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { complaints, documents } from "./compare.mjs";
import { decodePng } from "./png.mjs";

const BUNDLE = new URL("../", import.meta.url);

/** @type {import("./compare.mjs").Place} */
const place = {
  bytes: async (path) => new Uint8Array(await readFile(new URL(path, BUNDLE))),
  decode: async (png) => decodePng(png),
  sha256: async (content) => createHash("sha256").update(content).digest("hex"),
};

/** onnxruntime-node. Throws where it is not installed. */
async function runtime() {
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    const missing = /** @type {any} */ (error).code === "ERR_MODULE_NOT_FOUND";
    throw missing ? new Error("onnxruntime-node is not installed: npm install onnxruntime-node") : error;
  }
}

/** @param {typeof import("onnxruntime-node")} ort @param {any} file */
async function opened(ort, file) {
  const session = await ort.InferenceSession.create(await place.bytes(file.file));
  const [image] = session.inputNames, [scores] = session.outputNames;
  /** @type {import("./compare.mjs").Run} */
  const run = async (tensor) => {
    const out = await session.run({ [image]: new ort.Tensor(file.input.dtype, tensor, file.input.shape) });
    return /** @type {any} */ (out[scores].data);
  };
  return { runtime: "onnxruntime_node", run };
}

/** What an error says, on one line. @param {unknown} error */
const said = (error) => (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");

/** Whether all is well. */
async function main() {
  const { golden, how } = await documents(place);
  const ort = await runtime();
  const asked = process.argv.slice(2);
  const files = golden.files.filter((/** @type {any} */ file) =>
    asked.length ? asked.includes(file.file) : /\.(onnx|ort)$/.test(file.file));
  let passed = files.length > 0 && asked.every((name) => files.some((/** @type {any} */ file) => file.file === name));
  if (!passed) console.log("FAILED: golden/golden.json has no such .onnx file: nothing was compared");
  for (const file of files) {
    let lines;
    try {
      lines = await complaints(place, golden, file, how, () => opened(ort, file));
    } catch (error) {
      lines = [said(error)];
    }
    passed &&= lines.length === 0;
    const verdict = lines.length ? "FAILED" : "passed";
    console.log(`${verdict} ${file.file} on onnxruntime_node: ${golden.images.length} images`);
    for (const line of lines) console.log(`  ${line}`);
  }
  if (passed) console.log(`RIGHT here. Model files that give what was proved: ${files.length}`);
  else console.log("NOT RIGHT here: the lines above say what to look at");
  return passed;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.log(`FAILED: ${said(error)}`);
  process.exitCode = 1;
}
