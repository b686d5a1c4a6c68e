// ONNX Runtime Web. For its contract see page.mjs.

const DIST = new URL("../node_modules/onnxruntime-web/dist/", import.meta.url).href;
const BUNDLES = { cpu: "ort.wasm.min.mjs", gpu: "ort.webgpu.min.mjs" };
const PROVIDERS = { cpu: "wasm", gpu: "webgpu" };

export async function open(model, device, threads) {
  const ort = await import(DIST + BUNDLES[device]);
  // Read once, by the first session of a page; all others have the same device and threads.
  ort.env.wasm.wasmPaths = DIST;
  ort.env.wasm.numThreads = device === "cpu" ? threads : 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [PROVIDERS[device]],
    graphOptimizationLevel: "all",
    // Else what WebGPU has no kernel for goes to WebAssembly without a word.
    extra: device === "gpu" ? { session: { disable_cpu_ep_fallback: "1" } } : {},
  }).catch((error) => {
    throw new Error(String(error?.message ?? error).replace(/^.*ERROR_MESSAGE: /s, ""));
  });
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const [{ type } = {}] = session.inputMetadata;
  return {
    inputs: session.inputMetadata.map(end),
    outputs: session.outputMetadata.map(end),
    adapter: device === "gpu" ? (await ort.env.webgpu.device).adapterInfo : null,
    async infer(array, shape) {
      const image = new ort.Tensor(type, array, shape);
      const { [output]: scores } = await session.run({ [input]: image });
      const found = { array: (await scores.getData()).slice(), shape: [...scores.dims] };
      image.dispose();
      scores.dispose();
      return found;
    },
    close: () => session.release(),
  };
}

// A dynamic size has a name in place of a number.
function end({ name, type, shape }) {
  return { name, dtype: type, shape: shape.map((size) => (Number.isInteger(size) && size > 0 ? size : null)) };
}
