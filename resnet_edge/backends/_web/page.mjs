// What Python calls (browser.py): it opens one model in one runtime, runs it, and holds the clock.
//
// A runtime is a module beside this one with
//   open(model, device, threads, shape)  model: Uint8Array; device: "cpu" or "gpu"; shape: of the input, where
//                                 the runtime does not tell it
// which gives {inputs, outputs, adapter, infer, close}: the ends as {name, dtype, shape} (null is a dynamic size),
// the GPUAdapterInfo of the device that the runtime took (none for "cpu"), where it tells them `labels` by output, and
//   infer(array, shape)           a typed array to {array, shape}, complete and its own;
//   close()                       frees the model; the page opens another one later, for the same device and
//                                 number of threads.

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int16: Int16Array };
const IMITATIONS = /swiftshader|llvmpipe|lavapipe|software|basic render/i;
let session;

// Both methods are in Chromium since 140; what stands beside them is slow.
function decoded(text, dtype) {
  const bytes = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  return new ARRAYS[dtype](bytes.buffer);
}

function encoded(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return bytes.toBase64?.() ?? btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}

function nameOf(array) {
  return Object.keys(ARRAYS).find((name) => array instanceof ARRAYS[name]) ?? array.constructor.name;
}

// An exception of C++ comes as the number of its address.
function reason(error) {
  return typeof error === "number" ? `its WebAssembly threw ${error}` : String(error?.message ?? error);
}

async function told(work) {
  try {
    return await work();
  } catch (error) {
    return { error: reason(error) };
  }
}

function isImitated({ isFallbackAdapter, vendor, architecture, device, description }) {
  return Boolean(isFallbackAdapter) || IMITATIONS.test([vendor, architecture, device, description].join(" "));
}

async function open({ runtime, model, device, threads, shape }) {
  // Without it there are no threads, and the clock is coarse.
  if (!crossOriginIsolated) throw new Error("the page is not isolated from other origins");
  if (device === "gpu" && !(await navigator.gpu?.requestAdapter())) return { adapter: null };
  const [{ open }, response] = await Promise.all([import(runtime), fetch(model)]);
  if (!response.ok) throw new Error(`the file was not served (${response.status})`);
  session = await open(new Uint8Array(await response.arrayBuffer()), device, threads, shape);
  const { inputs, outputs, adapter, labels = [] } = session;
  return { inputs, outputs, labels, imitated: adapter ? isImitated(adapter) : false };
}

// `count` inputs of this shape, one after the other.
async function run({ data, dtype, shape, count }) {
  const all = decoded(data, dtype);
  const size = all.length / count;
  const found = [];
  for (let at = 0; at < all.length; at += size) found.push(await session.infer(all.slice(at, at + size), shape));
  const [{ array, shape: one }] = found;
  const joined = new array.constructor(count * array.length);
  found.forEach(({ array }, number) => joined.set(array, number * array.length));
  return { data: encoded(joined), dtype: nameOf(joined), shape: [count * one[0], ...one.slice(1)] };
}

// One call is what an application pays for one image that lies in a typed array: the tensor made from it,
// the inference, and the scores read into another typed array.
async function timed({ data, dtype, shape, calls }) {
  const array = decoded(data, dtype);
  const times = [];
  while (times.length < calls) {
    const began = performance.now();
    await session.infer(array, shape);
    times.push(performance.now() - began);
  }
  return { times };
}

async function close() {
  await session.close();
  session = undefined;
  return {};
}

globalThis.resnetEdge = Object.fromEntries(
  Object.entries({ open, run, timed, close }).map(([name, work]) => [name, (request) => told(() => work(request))]),
);
