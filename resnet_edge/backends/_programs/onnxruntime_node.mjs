// ONNX Runtime in Node.js; for the calls see ../_program.py. Arguments: the folder of npm packages, the pipe
// for answers.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int16: Int16Array, float64: Float64Array };
const [, , packages, answers] = process.argv;
const ort = createRequire(path.join(path.resolve(packages), "at.js"))("onnxruntime-node");
const NEWLINE = 10;
let session;
let left = Buffer.alloc(0);

// Some bytes more of the calls; false at their end.
function more() {
  const block = Buffer.alloc(1 << 16);
  const count = fs.readSync(0, block);
  left = Buffer.concat([left, block.subarray(0, count)]);
  return count > 0;
}

function read(count) {
  const data = Buffer.alloc(count);
  let at = left.copy(data, 0, 0, count);
  left = left.subarray(at);
  while (at < count) {
    const got = fs.readSync(0, data, at, count - at);
    if (got === 0) process.exit(0);
    at += got;
  }
  return data;
}

function readLine() {
  let end;
  while ((end = left.indexOf(NEWLINE)) < 0) if (!more()) process.exit(0);
  return read(end + 1).toString();
}

function write(data) {
  for (let at = 0; at < data.length; ) at += fs.writeSync(Number(answers), data, at);
}

// A dynamic size has a name in place of a number.
function end({ name, type, shape }) {
  return { name, dtype: type, shape: shape.map((size) => (Number.isInteger(size) && size > 0 ? size : null)) };
}

async function open({ model, threads }) {
  session = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(process.env.PRECISE_SUMS ? { extra: { session: { x64quantprecision: "1" } } } : {}),
  });
  return { answer: { inputs: session.inputMetadata.map(end), outputs: session.outputMetadata.map(end) } };
}

// `count` inputs of this shape, one after the other.
async function run({ dtype, shape, count }, data) {
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const all = new ARRAYS[dtype](data.buffer, data.byteOffset, data.byteLength / ARRAYS[dtype].BYTES_PER_ELEMENT);
  const size = all.length / count;
  const found = [];
  let scores;
  for (let at = 0; at < all.length; at += size) {
    ({ [output]: scores } = await session.run({ [input]: new ort.Tensor(dtype, all.slice(at, at + size), shape) }));
    found.push(Buffer.from(scores.data.buffer, scores.data.byteOffset, scores.data.byteLength));
  }
  const [rows, ...rest] = scores.dims;
  return { answer: { dtype: scores.type, shape: [count * rows, ...rest] }, data: Buffer.concat(found) };
}

for (;;) {
  const request = JSON.parse(readLine());
  const given = read(request.bytes);
  let answer;
  let data = Buffer.alloc(0);
  try {
    ({ answer, data = data } = await (session ? run(request, given) : open(request)));
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  write(Buffer.concat([Buffer.from(JSON.stringify({ ...answer, bytes: data.length }) + "\n"), data]));
}
