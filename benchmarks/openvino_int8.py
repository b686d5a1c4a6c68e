"""What OpenVINO computes of int8 files in integers, and what they cost there and on ONNX Runtime.

    python -m benchmarks.openvino_int8 FILE FILE…

Layers with weights come from OpenVINO's runtime model. Costs are processor seconds of one thread, in shuffled
turns, so that a busy machine moves them little; the first file is 1. Of ResNet-50 (`app:ResNet50:random`) as
written before and after strides of 1x1 convolutions got a MaxPool of their own: docs/runtimes.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from resnet_edge.backends import onnxruntime, openvino
from resnet_edge.core.tensors import quantize

ROUNDS = 60


def main(paths: list[Path]) -> None:
    """Print a line per file and runtime."""
    for path in paths:
        layers = [run for run in openvino.execution(path, "cpu") if run.macs]
        floats = [run for run in layers if not run.integer]
        share = sum(run.macs for run in floats) / sum(run.macs for run in layers)
        print(f"{path}: {len(layers) - len(floats)} of {len(layers)} layers in integers in OpenVINO", end="")
        print(f"; {100 * share:.1f} % of the work in float" if floats else "")
    with ExitStack() as opened:
        runs: dict[tuple[Path, str], Callable[[], object]] = {}
        for path in paths:
            for backend in (openvino, onnxruntime):
                if path.suffix[1:] not in backend.FORMATS:
                    continue
                session = opened.enter_context(backend.open_session(path, "cpu", 1))
                pixels = np.random.default_rng(0).integers(0, 256, session.input.shape).astype(np.float32)
                image = quantize(pixels, session.input) if session.input.quantization else pixels
                runs[path, backend.__name__.rpartition(".")[2]] = partial(session.run, image)
        times: dict[tuple[Path, str], list[float]] = {key: [] for key in runs}
        keys, random = list(runs), np.random.default_rng(0)
        for number in range(ROUNDS + 2):
            for at in random.permutation(len(keys)):
                began = time.process_time()
                runs[keys[at]]()
                if number >= 2:
                    times[keys[at]].append(time.process_time() - began)
    for (path, runtime), taken in times.items():
        first = next(each for (_, name), each in times.items() if name == runtime)
        ratio = statistics.median(a / b for a, b in zip(taken, first, strict=True))
        print(f"{path} on {runtime}: {1e3 * statistics.median(taken):.1f} ms, {ratio:.2f} x the first")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
