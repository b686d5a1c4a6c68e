"""LiteRT, ONNX Runtime, OpenVINO, IREE, ExecuTorch and XLA, with YNNPACK and without, side by side.

    python -m benchmarks.engines FOLDER MODEL.keras [--rounds N] [--images IMAGES.npy]

FOLDER is what `convert --schemes fp32,int8` made of MODEL; of what is not there nothing is told. Each engine
has a process of its own with one thread; they take turns in shuffled rounds, and what is told is processor
time, as others may use the machine. ExecuTorch makes its files from our fp32 ONNX, and sets its int8 ranges
by the same images; it is installed into --tools at first. One that does not run is a row with its error.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines import table
from benchmarks.results import keep
from resnet_edge.core import statistics
from resnet_edge.core.files.bundled import TEST_FILE, bundled

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
DEFAULT_TOOLS = Path.home() / ".cache" / "resnet-edge" / "engines"
WITHOUT_YNNPACK = {"XLA_FLAGS": "--xla_cpu_experimental_ynn_fusion_type="}


@dataclass
class Contender:
    """An engine with a file, and what it showed; `error` where it did not run."""

    name: str
    engine: str
    path: Path
    python: str = sys.executable
    env: dict[str, str] = field(default_factory=dict)
    error: str = ""
    ms: list[float] = field(default_factory=list)
    process: Any = None
    scores: Any = None

    def start(self, images: Path, folder: Path, number: int) -> None:
        """Open the file, and have the scores of all images."""
        out, log = folder / f"{number}.npy", folder / f"{number}.log"
        command = [self.python, str(HERE / "run.py"), self.engine, str(self.path)]
        with log.open("w") as said:
            self.process = subprocess.Popen(
                [*command, str(images), str(out)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **self.env},
            )
        if self.process.stdout.readline().strip() == "ready":
            self.scores = np.load(out)
        else:
            self.error = (log.read_text().strip().splitlines() or ["it said nothing"])[-1][:160]

    def turn(self, calls: int) -> float:
        """Processor milliseconds of a call."""
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def main() -> None:
    """Open all, let them take turns, print a table, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--images", type=Path, help="a .npy of images (N, H, W, C); else Fashion-MNIST")
    parser.add_argument("--tools", type=Path, default=DEFAULT_TOOLS, help="where ExecuTorch is installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="engines-") as scratch:
        folder = Path(scratch)
        images = options.images or folder / "images.npy"
        if not options.images:
            np.save(images, np.load(bundled(TEST_FILE))["images"][:200])
        all_contenders = contenders(options, folder, images)
        for number, one in enumerate(all_contenders):
            if not one.error:
                one.start(images, folder, number)
        running = [one for one in all_contenders if not one.error]
        calls = {id(one): max(1, round(20 / max(one.turn(3), 0.01))) for one in running}
        for _ in range(options.rounds):
            for one in random.sample(running, len(running)):
                one.ms.append(one.turn(calls[id(one)]))
        result = {"rounds": options.rounds, "images": len(np.load(images)), "rows": rows(all_contenders)}
        print(table(result))
        keep("engines", result)
        for one in running:
            one.process.stdin.close()
            one.process.wait()


def contenders(options: argparse.Namespace, folder: Path, images: Path) -> list[Contender]:
    """Each file on each engine that may open it, our float ONNX on ONNX Runtime first: the yardstick."""
    [fp32] = options.folder.glob("*.fp32.onnx")
    all_contenders = []
    for scheme in ("fp32", "int8"):
        for file in options.folder.glob(f"*.{scheme}.onnx"):
            engines = ("onnxruntime", "openvino", "iree")
            all_contenders += [
                Contender(name=f"{scheme} ONNX, {engine}", engine=engine, path=file) for engine in engines
            ]
        for file in options.folder.glob(f"*.{scheme}.tflite"):
            all_contenders.append(Contender(name=f"{scheme} TFLite, litert", engine="litert", path=file))
    all_contenders.append(Contender(name="Keras, XLA with YNNPACK", engine="keras_jax", path=options.model))
    all_contenders.append(
        Contender(
            name="Keras, XLA without YNNPACK",
            engine="keras_jax",
            path=options.model,
            env=dict(WITHOUT_YNNPACK),
        )
    )
    python = install(options.tools)
    for scheme in ("fp32", "int8"):
        program = folder / f"{scheme}.pte"
        one = Contender(
            name=f"{scheme} .pte, ExecuTorch with XNNPACK", engine="executorch", path=program, python=python
        )
        command = [python, str(HERE / "executorch.py"), str(fp32), str(images), str(program), scheme]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            one.error = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:160]
        all_contenders.append(one)
    return all_contenders


def install(folder: Path) -> str:
    """The interpreter of ExecuTorch's environment, made where it is not there or has other versions."""
    python, done = folder / "bin" / "python", folder / REQUIREMENTS.name
    if not done.exists() or done.read_text() != REQUIREMENTS.read_text():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(REQUIREMENTS)]
        subprocess.run(pip, check=True)
        done.write_text(REQUIREMENTS.read_text())
    return str(python)


def rows(all_contenders: list[Contender]) -> list[dict[str, Any]]:
    """Scores are compared with our fp32 ONNX on ONNX Runtime: top-1 and the largest difference, of the
    largest score; and so is processor time, round by round."""
    truth, lines = all_contenders[0], []
    for one in all_contenders:
        row: dict[str, Any] = {"name": one.name, "error": one.error}
        if not one.error:
            row["same"] = float((one.scores.argmax(1) == truth.scores.argmax(1)).mean())
            row["off"] = float(np.abs(one.scores - truth.scores).max() / np.abs(truth.scores).max())
            row["cpu_ms"] = float(np.median(one.ms))
            row["ratio"], row["ratio_ci95"] = statistics.paired_ratio(np.array(one.ms), np.array(truth.ms))
        lines.append(row)
    return lines


if __name__ == "__main__":
    main()
