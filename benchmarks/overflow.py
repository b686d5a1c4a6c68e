"""What ONNX Runtime's overflowing sums do to int8 on processors without VNNI, and what fixes it costs.

    python -m benchmarks.overflow [FILE.onnx] [--images N] [--legacy N]
    python -m benchmarks.overflow --cost [--images N]

Runs an int8 ONNX file (without FILE: that of the bundled ResNet-20, made anew) on the bundled test images, as
ONNX Runtime comes and with session.x64quantprecision=1, against its own unfused operators, which add without
overflow; on the first `--legacy` of them in qemu, which imitates a Haswell, as well (haswell.py), and as
resnet_edge/overflow emulates that. Where no pair of weights can overflow (ours), all agree; else, without
VNNI, the first does not (onnxruntime#6004). Milliseconds are the median of one inference, in turns.

`--cost` measures what that costs in SQNR and agreement (overflow_cost.py).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.haswell import emulator
from benchmarks.haswell import outputs as on_haswell
from benchmarks.results import keep, markdown_table
from resnet_edge.backends._precise_sums import PRECISE_SUMS
from resnet_edge.core.files.bundled import TEST_FILE, bundled
from resnet_edge.core.machine import machine
from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.formats.onnx import optimized

Ran = tuple[NDArray[Any], float | None]
"""Logits, and milliseconds."""

PRECISE = "session.x64quantprecision=1"


def main() -> None:
    """Run it every way; print one JSON document."""
    options = _options()
    if options.cost:
        from benchmarks.overflow_cost import measured_rows  # loads TensorFlow

        result = {"images": options.images, "rows": [*measured_rows(options.images)]}
        print(table(result))
        keep("overflow", result, "overflow_cost")
        return
    with np.load(bundled(TEST_FILE)) as data, tempfile.TemporaryDirectory(prefix="overflow-") as name:
        images, labels = data["images"][: options.images].astype(np.float32), data["labels"][: options.images]
        path = options.file or make(Path(name))
        exact, *ways = outputs(
            [session(path, fused=False), session(path), session(path, precise=True)], images
        )
        legacy = without_vnni(path, images[: options.legacy])
    rows = dict(zip(("here, as it comes", f"here, {PRECISE}"), ways, strict=True)) | legacy
    print(
        json.dumps(
            {
                "int8_flags": machine()["int8_flags"],
                "images": len(images),
                "top1": float((exact[0].argmax(1) == labels).mean()),
                "ways": {way: compared(*ran, exact[0], labels) for way, ran in rows.items()},
            },
            indent=2,
        )
    )


def table(result: dict[str, Any]) -> str:
    """What it costs that weights cannot overflow."""
    header = ("network", "repairs", "weights", "SQNR (dB)", "agreement (%)", "plain ONNX session (%)")
    body = [
        (
            *(row[key] for key in ("network", "repairs", "weights")),
            f"{row['sqnr_db']:.2f}",
            *(f"{100 * row[key]:.2f}" for key in ("agreement", "plain_session")),
        )
        for row in result["rows"]
    ]
    return markdown_table(header, body, words=3)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--legacy", type=int, default=1000)
    parser.add_argument("--cost", action="store_true")
    return parser.parse_args()


def without_vnni(path: Path, images: NDArray[Any]) -> dict[str, Ran]:
    """In qemu where it is installed, and emulated."""
    emulation = Emulation(optimized(path))
    logits = {"emulated, without VNNI": np.concatenate([emulation.run(image[None]) for image in images])}
    if emulator().is_file():
        logits["qemu, Haswell, as it comes"] = on_haswell(path, images)
        logits[f"qemu, Haswell, {PRECISE}"] = on_haswell(path, images, dict([PRECISE_SUMS]))
    return {way: (values, None) for way, values in logits.items()}


def make(folder: Path) -> Path:
    """The int8 ONNX file of the bundled model."""
    command = [sys.executable, "-m", "resnet_edge", "convert", "--quiet", "--schemes", "int8"]
    command += ["--formats", "onnx", "--latency-seconds", "0", "--out", str(folder / "out")]
    subprocess.run(command, check=True)
    return next((folder / "out").glob("*.onnx"))


def session(path: Path, fused: bool = True, precise: bool = False) -> ort.InferenceSession:
    """On one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not fused:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if precise:
        options.add_session_config_entry(*PRECISE_SUMS)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def outputs(sessions: Sequence[ort.InferenceSession], images: NDArray[Any]) -> list[Ran]:
    """The logits of all images, one at a time, and the median milliseconds of one, for each session."""
    per_session: list[list[NDArray[Any]]] = [[] for _ in sessions]
    times: list[list[float]] = [[] for _ in sessions]
    for image in images:
        for number, one in enumerate(sessions):
            began = time.perf_counter()
            per_session[number].append(one.run(None, {one.get_inputs()[0].name: image[None]})[0])
            times[number].append(time.perf_counter() - began)
    return [
        (np.concatenate(logits), 1000 * float(np.median(taken)))
        for logits, taken in zip(per_session, times, strict=True)
    ]


def compared(
    logits: NDArray[Any], milliseconds: float | None, exact: NDArray[Any], labels: NDArray[Any]
) -> dict[str, Any]:
    """How far the logits of the first images are from the exact ones."""
    exact, labels = exact[: len(logits)], labels[: len(logits)]
    return {
        "images": len(logits),
        "top1": float((logits.argmax(1) == labels).mean()),
        "exact_top1": float((exact.argmax(1) == labels).mean()),
        "other_answer": float((logits.argmax(1) != exact.argmax(1)).mean()),
        "largest_difference": float(np.abs(logits - exact).max()),
        "sha256": hashlib.sha256(np.ascontiguousarray(logits, np.float32).tobytes()).hexdigest()[:16],
        "milliseconds": None if milliseconds is None else round(milliseconds, 3),
    }


if __name__ == "__main__":
    main()
