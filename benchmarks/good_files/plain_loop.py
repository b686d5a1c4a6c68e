"""The loop that people write: a file in its runtime, one image at a time, fed what the file declares.

    python benchmarks/good_files/plain_loop.py FILE IMAGES.npy OUT.npy [FILE IMAGES.npy OUT.npy …]

What a runtime says of a file that it does not run goes into OUT.npy.txt.

Nothing of the package that is under test is used here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Run = Callable[[NDArray[np.float32]], NDArray[Any]]


def answers(file: Path, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Outputs (N, classes) for images (N, H, W, C) as the file takes them."""
    run = _tflite(file) if file.suffix == ".tflite" else _onnx(file)
    return np.stack([np.asarray(run(image[None])[0], np.float64) for image in images])


def _tflite(file: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if tuple(taken["shape"])[0] != 1:
        raise ValueError(f"takes {taken['shape']}")
    interpreter.allocate_tensors()

    def run(image: NDArray[np.float32]) -> NDArray[Any]:
        interpreter.set_tensor(taken["index"], _as_declared(image, taken))
        interpreter.invoke()
        output = np.asarray(interpreter.get_tensor(given["index"]), np.float64)
        scale, zero_point = given["quantization"]
        return (output - zero_point) * scale if scale and given["dtype"] != np.float32 else output

    return run


def _as_declared(image: NDArray[np.float32], taken: Any) -> NDArray[Any]:
    """An integer input has a scale and a zero point."""
    if taken["dtype"] == np.float32:
        return image
    info, (scale, zero_point) = np.iinfo(taken["dtype"]), taken["quantization"]
    steps = np.rint(image / scale + zero_point).clip(info.min, info.max)
    return np.asarray(steps.astype(taken["dtype"]))


def _onnx(file: Path) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}[taken.type]

    def run(image: NDArray[np.float32]) -> NDArray[Any]:
        channels_first = taken.shape[-1] != image.shape[-1] and taken.shape[1] == image.shape[-1]
        fed = image.transpose(0, 3, 1, 2) if channels_first else image
        return np.asarray(session.run(None, {taken.name: np.ascontiguousarray(fed).astype(kind)})[0])

    return run


def main(words: list[str]) -> None:
    """One file after the other: the imports are dearer than most files."""
    for file, images, out in zip(words[::3], words[1::3], words[2::3], strict=True):
        try:
            np.save(out, answers(Path(file), np.load(images)))
        except Exception as error:  # whatever a runtime raises: then the file is not good
            Path(f"{out}.txt").write_text(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
