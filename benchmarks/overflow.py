"""What ONNX Runtime's overflowing sums do to int8 on this processor.

    python benchmarks/overflow.py [FILE.onnx]

Runs an int8 ONNX file (without FILE: that of the bundled ResNet-20, made anew) on the bundled test images,
as ONNX Runtime comes and with session.x64quantprecision=1, against its own unfused operators, which add
without overflow. With VNNI all three agree; on other x86 processors the first does not (onnxruntime#6004).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from resnet_edge.backends.onnxruntime import PRECISE_SUMS
from resnet_edge.core.bundled import TEST_FILE, bundled
from resnet_edge.core.machine import machine

N = 10_000


def main() -> None:
    """Run it three ways; print one JSON document."""
    with np.load(bundled(TEST_FILE)) as data, tempfile.TemporaryDirectory(prefix="overflow-") as name:
        images, labels = data["images"][:N].astype(np.float32), data["labels"][:N]
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else make(Path(name))
        exact, _ = outputs(path, images, fused=False)
        rows = {
            "as it comes": outputs(path, images),
            "session.x64quantprecision=1": outputs(path, images, dict([PRECISE_SUMS])),
        }
    print(
        json.dumps(
            {
                "int8_flags": machine()["int8_flags"],
                "images": len(images),
                "top1": float((exact.argmax(1) == labels).mean()),
                "ways": {way: compared(*found, exact, labels) for way, found in rows.items()},
            },
            indent=2,
        )
    )


def make(folder: Path) -> Path:
    """The int8 ONNX file of the bundled model."""
    command = [sys.executable, "-m", "resnet_edge", "convert", "--quiet", "--schemes", "int8"]
    command += ["--formats", "onnx", "--latency-seconds", "0", "--out", str(folder / "out")]
    subprocess.run(command, check=True)
    return next((folder / "out").glob("*.onnx"))


def outputs(
    path: Path, images: NDArray[Any], settings: dict[str, str] | None = None, fused: bool = True
) -> tuple[NDArray[Any], float]:
    """The logits of all images, one at a time, and the median milliseconds of one."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not fused:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for key, value in (settings or {}).items():
        options.add_session_config_entry(key, value)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry, found, times = session.get_inputs()[0].name, [], []
    for image in images:
        began = time.perf_counter()
        found.append(session.run(None, {entry: image[None]})[0])
        times.append(time.perf_counter() - began)
    return np.concatenate(found), 1000 * float(np.median(times))


def compared(
    found: NDArray[Any], milliseconds: float, exact: NDArray[Any], labels: NDArray[Any]
) -> dict[str, float]:
    """How far the logits are from the exact ones."""
    return {
        "top1": float((found.argmax(1) == labels).mean()),
        "other_answer": float((found.argmax(1) != exact.argmax(1)).mean()),
        "largest_difference": float(np.abs(found - exact).max()),
        "milliseconds": round(milliseconds, 3),
    }


if __name__ == "__main__":
    main()
