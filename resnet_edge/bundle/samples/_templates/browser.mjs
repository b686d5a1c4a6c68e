// In a browser: photos to pictures, and model files opened in LiteRT.js or onnxruntime-web (WebAssembly).
import { best, prepare, real, tensorOf } from "./preprocess.mjs";

/** The picture of a photo or PNG, turned upright, as RGBA. @param {Blob} photo */
export async function decode(photo) {
  const bitmap = await createImageBitmap(photo, {
    imageOrientation: "from-image", // the EXIF orientation
    premultiplyAlpha: "none",
    colorSpaceConversion: "none",
  });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser gives no 2d canvas");
  context.drawImage(bitmap, 0, 0);
  const { width, height, data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return { width, height, channels: 4, data };
}

/** A function from an input tensor to scores as stored; `runtime` tells what runs it.
 * @param {any} file  of golden/golden.json @param {Uint8Array} model @param {string} litertWasm folder of
 * @litertjs/core's wasm files @param {string} ortWasm folder of onnxruntime-web's */
export async function opened(file, model, litertWasm, ortWasm) {
  return file.file.endsWith(".tflite") ? withLiteRt(file, model, litertWasm) : withOrt(file, model, ortWasm);
}

/** @type {Promise<unknown> | undefined} */
let loaded;

/** @param {any} file @param {Uint8Array} model @param {string} wasm */
async function withLiteRt(file, model, wasm) {
  const { Tensor, loadAndCompile, loadLiteRt } = await import("@litertjs/core");
  await (loaded ??= loadLiteRt(wasm));
  // "webgpu" in place of "wasm" asks for the GPU: for float files alone, since quantized ones give other
  // scores there. Ask compiled.isFullyAccelerated, and run the self-test again.
  const compiled = await loadAndCompile(model, { accelerator: "wasm" });
  /** @param {any} tensor */
  const run = async (tensor) => {
    const input = new Tensor(tensor, file.input.shape);
    const [output] = /** @type {import("@litertjs/core").Tensor[]} */ (await compiled.run(input));
    const scores = output.toTypedArray().slice();
    input.delete(); // LiteRT.js frees nothing by itself
    output.delete();
    return /** @type {ArrayLike<number>} */ (scores);
  };
  return { runtime: "litert_js", run };
}

/** @param {any} file @param {Uint8Array} model @param {string} wasm */
async function withOrt(file, model, wasm) {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.wasmPaths = wasm;
  if (!self.crossOriginIsolated) ort.env.wasm.numThreads = 1; // as it would do by itself, with a warning
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const [image] = session.inputNames, [scores] = session.outputNames;
  /** @param {any} tensor */
  const run = async (tensor) => {
    const out = await session.run({ [image]: new ort.Tensor(file.input.dtype, tensor, file.input.shape) });
    return /** @type {ArrayLike<number>} */ (/** @type {unknown} */ (out[scores].data));
  };
  return { runtime: "onnxruntime_web", run };
}

/** The best three answers for a photo: [label, share]. @param {Blob} photo @param {any} golden @param {any} file
 * @param {import("./preprocess.mjs").Contract} how @param {(tensor: any) => Promise<ArrayLike<number>>} run */
export async function classify(photo, golden, file, how, run) {
  if (how.colour === "samples") throw new Error("this model takes no photos: preprocessing.json says what it takes");
  const scores = real(await run(tensorOf(prepare(await decode(photo), how), file.input)), file.output);
  return best(scores, file).map(([i, share]) => /** @type {[string, number]} */ ([golden.labels[i], share]));
}
