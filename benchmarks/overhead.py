"""What the harness of `bench` adds to an inference: one image through ResNet-8.

    python -m benchmarks.overhead [--rounds 400]

Converts a ResNet-8 of the zoo and times, in turns in one process: the runtime's own call, written out as
its users do (LiteRT: set_tensor, invoke, get_tensor; ONNX Runtime: InferenceSession.run), and the same
session under the clock of `bench` (benchmarking/rounds.py: `timed`). The difference of the medians is what
the harness adds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchmarks.convert_cost import pictures
from resnet_edge.backends import litert, onnxruntime
from resnet_edge.benchmarking.rounds import timed
from resnet_edge.core.statistics import median_interval

CALLS = 32
Call = Callable[[], None]


def main() -> None:
    """Make the files, time both ways, print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="overhead-") as name:
        files = make(Path(name))
        print(json.dumps({file.name: compare(file, rounds) for file in files}, indent=2))


def make(folder: Path) -> list[Path]:
    """ResNet-8 in fp32 and int8, in both formats."""
    images = pictures(8, seed=3)[:, ::7, ::7]
    np.savez(folder / "images.npz", images=images)
    command = [sys.executable, "-m", "resnet_edge", "convert", "resnet8", "--quiet"]
    command += ["--input-shape", ",".join(map(str, images.shape[1:]))]
    command += ["--out", str(folder / "out"), "--schemes", "fp32,int8", "--latency-seconds", "0"]
    command += ["--data", str(folder / "images.npz"), "--calibration", str(folder / "images.npz")]
    subprocess.run(command, check=False)  # random weights prove nothing: exit code 5
    return sorted(p for p in (folder / "out").iterdir() if p.suffix in (".tflite", ".onnx"))


def compare(path: Path, rounds: int) -> dict[str, Any]:
    """Microseconds of both ways, and of their difference round by round with its interval."""
    backend: Any = litert if path.suffix == ".tflite" else onnxruntime
    with backend.open_session(path, "cpu", 1) as session:
        image = np.random.default_rng(0).uniform(0, 255, session.input.shape).astype(np.float32)
        plain = (of_litert if path.suffix == ".tflite" else of_onnxruntime)(path, image)
        for _ in range(200):
            plain()
        timed(session, image, 200)
        bare, ours = [], []
        for _ in range(rounds):
            bare.append(np.median(clocked(plain)))
            ours.append(np.median(timed(session, image, CALLS)))
    added = 1000 * (np.array(ours) - np.array(bare))
    return {
        "runtime_us": round(1000 * float(np.median(bare)), 2),
        "harness_us": round(1000 * float(np.median(ours)), 2),
        "added_us": round(float(np.median(added)), 2),
        "added_ci95_us": [round(bound, 2) for bound in median_interval(added[:, None], 0)],
    }


def clocked(call: Call) -> list[float]:
    """Milliseconds of each of CALLS calls."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1e6)
    return times


def of_litert(path: Path, image: NDArray[Any]) -> Call:
    """The call of a user of LiteRT."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    end = interpreter.get_output_details()[0]["index"]

    def call() -> None:
        interpreter.set_tensor(entry, image)
        interpreter.invoke()
        interpreter.get_tensor(end)

    return call


def of_onnxruntime(path: Path, image: NDArray[Any]) -> Call:
    """The call of a user of ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed, outputs = {session.get_inputs()[0].name: image}, [session.get_outputs()[0].name]

    def call() -> None:
        session.run(outputs, feed)

    return call


if __name__ == "__main__":
    main()
