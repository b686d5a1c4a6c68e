"""ResNet-50 in int8 on ONNX Runtime: our file against ONNX Runtime's own best.

    python -m benchmarks.int8_latency [--rounds 60]

Makes app:ResNet50:random with `resnet-edge convert`, and quantizes its fp32 ONNX file with
onnxruntime.quantization: U8S8 per channel QDQ (the fastest on x86), and the defaults of
`quantize_static`. All files take turns in one process, one thread, under one clock.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.convert_cost import pictures
from benchmarks.results import keep, markdown_table
from resnet_edge.benchmarking.latency import measure
from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.workers.progress import silent

BEST = {
    "quant_format": QuantFormat.QDQ,
    "activation_type": QuantType.QUInt8,
    "weight_type": QuantType.QInt8,
    "per_channel": True,
}


class Reader(CalibrationDataReader):
    """Feeds the calibration images, one at a time."""

    def __init__(self, images: np.ndarray[Any, Any]) -> None:
        self.feeds = iter([{"image": image[None].astype(np.float32)} for image in images])

    def get_next(self) -> dict[str, Any] | None:
        """The next feed."""
        return next(self.feeds, None)


def main() -> None:
    """Make the files, time them, print a table, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="int8-latency-") as name:
        folder = Path(name)
        images = pictures(16, seed=6)
        np.savez(folder / "images.npz", images=images)
        np.save(folder / "images.npy", images)
        files = make(folder, images)
        targets = tuple(
            LatencyTarget(
                path=str(p),
                file=label,
                format=p.suffix[1:],
                scheme=label,
                backend=backend_of(p),
                device="cpu",
            )
            for label, p in files.items()
        )
        timings = measure(
            MeasureLatency(
                artifacts=targets,
                images=str(folder / "images.npy"),
                threads=1,
                rounds=rounds,
                budget_seconds=0.0,
            ),
            silent,
        )
    rows = {row.artifact: {"p50_ms": row.p50_ms, "ci95_ms": row.p50_ci95_ms} for row in timings.latencies}
    medians = {row.artifact: row.p50_ms for row in timings.latencies}
    ours_over_best = medians["ours onnx"] / medians["onnxruntime best"]
    result = {"rounds": rounds, "rows": rows, "ours_over_best": ours_over_best}
    print(table(result))
    keep("int8_latency", result)


def table(result: dict[str, Any]) -> str:
    """Medians, and how many times as fast as the fp32 of its runtime each is."""
    rows = result["rows"]

    def cells(name: str) -> tuple[str, ...]:
        runtime = "tflite" if "tflite" in name else "onnx"
        milliseconds = rows[name]["p50_ms"]
        faster = rows[f"ours {runtime} fp32"]["p50_ms"] / milliseconds
        return name, f"{milliseconds:.1f} ms", f"{faster:.2f}x"

    return markdown_table(
        ("ResNet-50, one thread, one image", "p50", "against the fp32 of its runtime"), map(cells, rows)
    )


def backend_of(path: Path) -> str:
    """The runtime of a file."""
    return "litert" if path.suffix == ".tflite" else "onnxruntime"


def make(folder: Path, images: np.ndarray[Any, Any]) -> dict[str, Path]:
    """Every file by what the table calls it."""
    command = [sys.executable, "-m", "resnet_edge", "convert", "app:ResNet50:random", "--quiet", "--json"]
    command += ["--out", str(folder / "ours"), "--schemes", "fp32,int8", "--latency-seconds", "0"]
    command += ["--data", str(folder / "images.npz"), "--calibration", str(folder / "images.npz")]
    report = msgspec.json.decode(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
    ours = {(a["format"], a["scheme"]): folder / "ours" / a["file"] for a in report["artifacts"]}
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(ours["onnx", "fp32"]), str(prepared), skip_symbolic_shape=True)
    for label, options in {"best": BEST, "defaults": {}}.items():
        quantize_static(str(prepared), str(folder / f"{label}.onnx"), Reader(images), **options)
    return {
        "ours onnx": ours["onnx", "int8"],
        "ours onnx fp32": ours["onnx", "fp32"],
        "ours tflite": ours["tflite", "int8"],
        "ours tflite fp32": ours["tflite", "fp32"],
        "onnxruntime best": folder / "best.onnx",
        "onnxruntime defaults": folder / "defaults.onnx",
    }


if __name__ == "__main__":
    main()
