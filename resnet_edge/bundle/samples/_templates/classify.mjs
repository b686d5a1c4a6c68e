// Name what is on a photo, in Node.js, with an ONNX file of this bundle.
//
//   npm install onnxruntime-node sharp && node samples/javascript/classify.mjs PHOTO
import { readFile } from "node:fs/promises";
import { best, prepare, real, tensorOf } from "./preprocess.mjs";

const BUNDLE = new URL("../../", import.meta.url);
/** @param {string} path */
const json = async (path) => JSON.parse(await readFile(new URL(path, BUNDLE), "utf8"));
/** A label as a terminal may show it: nothing in it moves the cursor. @param {string} label */
const shown = (label) => label.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);

async function main() {
  const photo = process.argv[2];
  if (photo === undefined) throw new Error("name a photo: node samples/javascript/classify.mjs PHOTO");
  const golden = await json("golden/golden.json"), how = await json("preprocessing.json");
  const file = golden.files.find((/** @type {any} */ one) => one.file === "@ONNX@");
  if (how.colour === "samples") throw new Error("this model takes no photos: preprocessing.json says what it takes");
  const ort = await import("onnxruntime-node"), { default: sharp } = await import("sharp");
  // sharp decodes and turns the photo upright (rotate); it must not resize: its filter is another one.
  const { data, info } = await sharp(photo).rotate().toColourspace("srgb").ensureAlpha().raw()
    .toBuffer({ resolveWithObject: true });
  const picture = prepare({ width: info.width, height: info.height, channels: info.channels, data }, how);
  const session = await ort.InferenceSession.create(await readFile(new URL(file.file, BUNDLE)));
  const tensor = new ort.Tensor(file.input.dtype, tensorOf(picture, file.input), file.input.shape);
  const out = await session.run({ [session.inputNames[0]]: tensor });
  const scores = real(/** @type {any} */ (out[session.outputNames[0]].data), file.output);
  if (file.head === "embedding") return console.log(JSON.stringify(Array.from(scores)));
  const found = best(scores, file);
  for (const [i, share] of found) console.log(`${share.toFixed(3)}  ${shown(golden.labels[i])}`);
  if (!found.length) console.log("none of the labels");
}

try {
  await main();
} catch (error) {
  const { code, message } = /** @type {any} */ (error);
  const missing = code === "ERR_MODULE_NOT_FOUND" ? "; npm install onnxruntime-node sharp" : "";
  console.error(`${message}${missing}`.replace(/\s+/g, " "));
  process.exitCode = 1;
}
