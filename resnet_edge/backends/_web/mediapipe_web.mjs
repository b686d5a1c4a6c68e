// MediaPipe Tasks. For its contract see page.mjs; it tells labels in place of inputs and outputs.

import { FilesetResolver, ImageClassifier } from "../node_modules/@mediapipe/tasks-vision/vision_bundle.mjs";

const WASM = new URL("../node_modules/@mediapipe/tasks-vision/wasm", import.meta.url).href;
let fileset;

export async function open(model, device, threads, [, height, width]) {
  fileset ??= await FilesetResolver.forVisionTasks(WASM);
  const options = { baseOptions: { modelAssetBuffer: model, delegate: "CPU" }, maxResults: -1, runningMode: "IMAGE" };
  const classifier = await ImageClassifier.createFromOptions(fileset, options).catch(inOneLine);
  // Scores come sorted, and of some classes alone where the metadata has a threshold.
  const classify = (image) => {
    const found = told(() => classifier.classify(image)).classifications[0].categories;
    found.sort((a, b) => a.index - b.index);
    if (found.some(({ index }, place) => index !== place)) {
      throw new Error("it leaves out classes: the metadata has a score threshold");
    }
    return found;
  };
  return {
    inputs: [],
    outputs: [],
    adapter: null,
    labels: classify(new ImageData(width, height)).map(({ categoryName }) => categoryName ?? ""),
    async infer(array, [, height, width]) {
      const image = new ImageData(width, height);
      for (let pixel = 0; pixel < height * width; pixel++) {
        image.data.set([array[3 * pixel], array[3 * pixel + 1], array[3 * pixel + 2], 255], 4 * pixel);
      }
      const scores = classify(image).map(({ score }) => score);
      return { array: Float32Array.from(scores), shape: [1, scores.length] };
    },
    close: () => classifier.close(),
  };
}

function told(work) {
  try {
    return work();
  } catch (error) {
    return inOneLine(error);
  }
}

// What the message says between the path through its graph and that through its sources.
function inOneLine(error) {
  const words = String(error?.message ?? error).replace(/\s+/g, " ");
  throw new Error(words.replace(/^.*RET_CHECK failure \(\S*\) /, "").replace(/ (; WaitUntilIdle|===) .*$/, ""));
}
