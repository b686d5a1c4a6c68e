"""`resnet-edge verify` against the loop that people write: one image at a time through each interpreter.

    python -m benchmarks.verify_speed [--images N] [--rounds N] [--batches] [FOLDER]

FOLDER is what `make demo` wrote. Five artifacts, TFLite on LiteRT and ONNX on ONNX Runtime, on the test
images of Fashion-MNIST, in turns in one run. Both give the top-1 of every artifact; `verify` runs the Keras
model, too, compares weights and judges; "all" splits gaps into causes and emulates int8 without VNNI as well,
as it does where nobody says otherwise; "sequential" is all of it on as many images as it takes to decide. The
loop runs the Keras model, too, in batches of 256. Beside the time on the clock is that of processors, which
says more where others use the machine.

`--batches` tells instead what batches would gain: milliseconds for an image in TFLite files of other sizes.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import keep
from resnet_edge.data.load import load

FILES = ("fp32.tflite", "fp16.tflite", "int8.tflite", "fp32.onnx", "int8.onnx")
MODEL = Path("calibration/resnet20_fashion_mnist.keras")

LOOP = """
import sys, numpy as np, keras, onnxruntime
from ai_edge_litert.interpreter import Interpreter
from resnet_edge.data.load import load
found = load("fashion-mnist", "test")
images, labels = found.images[: int(sys.argv[2])], found.labels[: int(sys.argv[2])]
images = images.astype(np.float32)
keras.models.load_model(sys.argv[1], compile=False).predict(images, batch_size=256, verbose=0)
for path in sys.argv[3:]:
    right = 0
    if path.endswith(".onnx"):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        for image, label in zip(images, labels):
            right += int(session.run(None, {name: image[None]})[0].argmax() == label)
    else:
        interpreter = Interpreter(path)
        interpreter.allocate_tensors()
        entry, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        for image, label in zip(images, labels):
            interpreter.set_tensor(entry["index"], image[None])
            interpreter.invoke()
            right += int(interpreter.get_tensor(end["index"]).argmax() == label)
    print(path, right / len(labels))
"""


def main() -> None:
    """Time all in turns, and print seconds and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", default="demo", type=Path)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batches", action="store_true")
    options = parser.parse_args()
    files = [str(next(options.folder.glob(f"*.{file}"))) for file in FILES]
    if options.batches:
        batches([file for file in files if file.endswith(".tflite")])
        return
    loop = [sys.executable, "-c", LOOP, str(MODEL), str(options.images), *files]
    full = [sys.executable, "-m", "resnet_edge", "verify", *files, "--reference", str(MODEL), "--json"]
    full += ["--data", "fashion-mnist", "--images", str(options.images)]
    ways = {
        "verify": [*full, "--attribute", "0", "--no-explain"],
        "verify, all": full,
        "verify, all, sequential": [*full, "--sequential"],
    }
    rounds = []
    for _ in range(options.rounds):
        theirs, _ = timed(loop)
        one: dict[str, Any] = {"loop": asdict(theirs)}
        for way, command in ways.items():
            took, said = timed(command)
            rows = {row["artifact"]: (row["verdict"], row["n"]) for row in json.loads(said)["parity"]}
            one[way] = asdict(took) | {"rows": rows}
        rounds.append(one)
        print(one)
    result = {"images": options.images, "rounds": rounds}
    print(table(result))
    keep("verify_speed", result)


def table(result: dict[str, Any]) -> str:
    """Medians over the rounds."""
    lines = ["| | seconds | of processors | times as fast as the loop |", "| --- | ---: | ---: | ---: |"]
    for way in result["rounds"][0]:
        clock, processors, ratio = (
            statistics.median(figures)
            for figures in zip(
                *(
                    (one[way]["clock"], one[way]["processors"], one["loop"]["clock"] / one[way]["clock"])
                    for one in result["rounds"]
                ),
                strict=True,
            )
        )
        lines.append(f"| {way} | {clock:.1f} | {processors:.1f} | {ratio:.2f} |")
    return "\n".join(lines)


def batches(files: list[str]) -> None:
    """Milliseconds for an image at batch sizes of 1, 4, 16 and 64, on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    images = load("fashion-mnist", "test").images[:2048].astype(np.float32)
    for file in files:
        lines = []
        for size in (1, 4, 16, 64):
            interpreter = Interpreter(file, num_threads=1)
            entry = interpreter.get_input_details()[0]
            interpreter.resize_tensor_input(entry["index"], [size, *entry["shape"][1:]])
            interpreter.allocate_tensors()
            began = time.perf_counter()
            for start in range(0, len(images), size):
                interpreter.set_tensor(entry["index"], images[start : start + size])
                interpreter.invoke()
            lines.append(f"{size}: {1000 * (time.perf_counter() - began) / len(images):.3f} ms")
        print(Path(file).name, ", ".join(lines))


@dataclass(frozen=True, kw_only=True)
class Took:
    """Seconds on the clock, and of processors in all processes."""

    clock: float
    processors: float


def timed(command: list[str]) -> tuple[Took, str]:
    """How long it took, and what was printed."""
    began, used = time.monotonic(), _used()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Took(clock=time.monotonic() - began, processors=_used() - used), done.stdout


def _used() -> float:
    """Of all processes that ended, and those that they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
