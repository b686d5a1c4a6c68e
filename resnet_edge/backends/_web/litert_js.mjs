// LiteRT.js. For its contract see page.mjs.

import * as litert from "@litertjs/core";

const WASM = new URL("../node_modules/@litertjs/core/wasm/", import.meta.url).href;
const ACCELERATORS = { cpu: "wasm", gpu: "webgpu" };

export async function open(model, device, threads) {
  await (litert.getGlobalLiteRtPromise() ?? litert.loadLiteRt(WASM, { threads: device === "cpu" }));
  const compiled = await litert.loadAndCompile(model, {
    accelerator: ACCELERATORS[device],
    cpuOptions: { numThreads: threads },
  });
  // What WebGPU has no kernel for goes to WebAssembly without a word.
  if (device === "gpu" && !compiled.isFullyAccelerated) throw new Error("WebGPU does not take all of it");
  return {
    inputs: compiled.getInputDetails().map(end),
    outputs: compiled.getOutputDetails().map(end),
    adapter: device === "gpu" ? litert.getWebGpuDevice().adapterInfo : null,
    async infer(array, shape) {
      const image = new litert.Tensor(array, shape);
      const [scores] = await compiled.run(image);
      const found = { array: (await scores.data()).slice(), shape: Array.from(scores.type.layout.dimensions) };
      image.delete();
      scores.delete();
      return found;
    },
    close: () => compiled.delete(),
  };
}

function end({ name, dtype, shape }) {
  return { name, dtype, shape: Array.from(shape, (size) => (size > 0 ? size : null)) };
}
