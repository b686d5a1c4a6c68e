"""Whether a device computes an int8 1x1 convolution with a stride as if it had none: LiteRT 2.3's GPU
accelerator does on an imitated GPU (`benchmarks.gpu_quantized` says how it is known to be the accelerator).

    python -m benchmarks.gpu.strided FOLDER --write      needs TensorFlow
    python -m benchmarks.gpu.strided FOLDER --device gpu
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_quantized import SIDE, Convolution, without_stride, write_convolution
from resnet_edge.backends import litert
from resnet_edge.graph.model import read_graph

CONVOLUTIONS: dict[str, Convolution] = {
    "1x1, stride 2, int8": (1, 2, 16, 32, "SAME", "int8"),
    "1x1, stride 1, int8": (1, 1, 16, 32, "SAME", "int8"),
    "3x3, stride 2, int8": (3, 2, 16, 32, "SAME", "int8"),
    "1x1, stride 2, dynamic": (1, 2, 64, 64, "SAME", "dynamic"),
    "1x1, stride 2, fp32": (1, 2, 16, 32, "SAME", "fp32"),
    "1x1, stride 2, fp16": (1, 2, 16, 32, "SAME", "fp16"),
}
WRONG = 0.1
"""Of the largest value. Rounding is below 0.03 (a step of int8 is 1/127 of the range, and fp16 0.001); what
is wrong reads other pixels, and is off by about the largest value."""


def main() -> None:
    """Write the files, or print `strided`: a row for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--device", default="gpu")
    options = parser.parse_args()
    if options.write:
        options.folder.mkdir(parents=True, exist_ok=True)
        for name, one in CONVOLUTIONS.items():
            write_convolution(file_of(options.folder, name), one)
    rows = [] if options.write else [row(options.folder, name, options.device) for name in CONVOLUTIONS]
    print(json.dumps({"strided": rows}))


def file_of(folder: Path, name: str) -> Path:
    """Of a convolution of CONVOLUTIONS."""
    return folder / f"{name.replace(', ', '_').replace(' ', '')}.tflite"


def row(folder: Path, name: str, device: str) -> dict[str, Any]:
    """How far the device is from the CPU, of the largest value; of an int8 1x1 with a stride also how many
    steps it is from numpy's answer without the stride. Raises DeviceUnavailable, ArtifactError."""
    path = file_of(folder, name)
    kernel, stride, channels, _, _, scheme = CONVOLUTIONS[name]
    image = np.random.default_rng(0).normal(0, 1, (1, SIDE, SIDE, channels)).astype(np.float32)
    with litert.open_session(path, device, 1) as session:
        there, ran_on = session.run(image).ravel(), session.device
    with litert.open_session(path, "cpu", 1) as session:
        here = session.run(image).ravel()
    off = float(np.abs(there - here).max() / np.abs(here).max())
    kept = {"convolution": name, "device": ran_on, "of_largest": off, "wrong": not off < WRONG}
    if kernel == 1 and stride > 1 and scheme == "int8":
        expected, step = without_stride(read_graph(path), image, stride)
        kept["without_stride_steps"] = float(np.abs(there - expected.ravel()).max() / step)
    return kept


if __name__ == "__main__":
    main()
