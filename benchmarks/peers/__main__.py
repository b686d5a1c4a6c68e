"""resnet-edge against the tools that its users would take otherwise, on the same models in one run.

    python -m benchmarks.peers [--quick] [--models resnet20,resnet50] [--json FILE]

Every tool converts the same .keras file with the same calibration images, each in a process of its own:
wall seconds, processor seconds, and memory as in convert_cost.py. The files then take turns, one thread,
one image. The bundled ResNet-20 tells accuracy, on its 10,000 test images; ResNet-50, which has random
weights, tells latency. A tool that fails becomes a row with its error. NNCF is installed into --tools at
first; the folder may stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.convert_cost import cost, pictures
from benchmarks.peers.contenders import CONVERSIONS, TOOLS, Conversion
from benchmarks.peers.measure import Comparator, accuracy, first_line, latencies
from benchmarks.peers.table import load_line, machine_line, table, targets
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled
from resnet_edge.core.machine import machine, versions

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
DEFAULT_TOOLS = Path.home() / ".cache" / "resnet-edge" / "peers"


@dataclass(frozen=True)
class Case:
    """A model, the images that set ranges, and what its files are judged by."""

    name: str
    model: Path
    calibration: Path
    proof: Path
    judge: Comparator
    folder: Path


def main() -> None:
    """Convert, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", default="resnet20,resnet50")
    parser.add_argument("--seconds", type=float, default=240.0, help="for the turns of each model")
    parser.add_argument("--quick", action="store_true", help="ResNet-20, few images, few rounds")
    parser.add_argument("--tools", type=Path, default=DEFAULT_TOOLS, help="where NNCF is installed")
    parser.add_argument("--json", type=Path, help="all figures, into this file")
    parser.add_argument("--keep", type=Path, help="keep files here, and take those that are there already")
    options = parser.parse_args()
    if unknown := set(options.models.split(",")) - CASES.keys():
        parser.error(f"--models: no {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    if options.quick:
        options.models, options.seconds = "resnet20", 3.0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tools = install(options.tools)
    document: dict[str, Any] = {"machine": machine(), "versions": versions(), "models": {}}
    print(f"{machine_line(document['machine'], document['versions'])}\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        folder = options.keep or Path(scratch)
        for name in options.models.split(","):
            case = CASES[name](folder, options.quick)
            rows, others = measured(case, tools, options.seconds)
            document["models"][name] = {"rows": rows, "others": others}
            print(f"\n### {name}\n\n{table(rows)}\n\n{load_line(rows, others)}", flush=True)
            print(targets(name, rows), flush=True)
            if options.json:
                options.json.write_text(json.dumps(document, indent=1))


def install(folder: Path) -> str:
    """The interpreter of the other tools' environment, made where it is not there or holds other
    versions. Where that fails, their rows say what is missing."""
    python, done = folder / "bin" / "python", folder / REQUIREMENTS.name
    wanted = REQUIREMENTS.read_text()
    if not done.exists() or done.read_text() != wanted:
        tell(f"installing {REQUIREMENTS.name} into {folder}")
        created = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False).returncode == 0
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
        if created and subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
            done.write_text(wanted)
    return str(python)


def resnet20(folder: Path, quick: bool) -> Case:
    """The bundled model and images."""
    count, calibration = (500, 50) if quick else (10_000, 1_000)
    test = np.load(bundled(TEST_FILE))
    images, labels = test["images"][:count], test["labels"][:count]
    return _case(
        folder / "resnet20",
        Path(bundled(MODEL_FILE)),
        images,
        labels,
        np.load(bundled(CALIBRATION_FILE))["images"][:calibration],
    )


def resnet50(folder: Path, quick: bool) -> Case:
    """keras.applications ResNet50 with random weights, on synthetic pictures."""
    model = folder / "resnet50.keras"
    calibration = folder / "calibration50.npz"
    np.savez(calibration, images=pictures(32, seed=11))
    if not model.exists():
        quietly(step("make_resnet50", sys.executable, model, calibration, model))
    return _case(folder / "resnet50", model, pictures(16, seed=6), None, np.load(calibration)["images"])


CASES = {"resnet20": resnet20, "resnet50": resnet50}


def _case(folder: Path, model: Path, images: Any, labels: Any, calibration: Any) -> Case:
    folder.mkdir(parents=True, exist_ok=True)
    proof, ranges, answers = (folder / name for name in ("proof.npz", "calibration.npz", "reference.npy"))
    np.savez(ranges, images=calibration)
    np.savez(proof, images=images, **({} if labels is None else {"labels": labels.astype(np.int64)}))
    named = None
    if labels is not None:
        named = folder / "labels.npy"
        np.save(named, labels.astype(np.int64))
    quietly(step("reference", sys.executable, model, proof, answers))
    return Case(
        name=folder.name,
        model=model,
        calibration=ranges,
        proof=proof,
        judge=Comparator(images, answers, named, folder),
        folder=folder,
    )


def measured(case: Case, tools: str, seconds: float) -> tuple[list[dict[str, Any]], float | None]:
    """A row for each file on each of its runtimes, and the cores that others kept busy in the turns."""
    kept = case.folder / "made.json"
    outcomes: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else {}
    for conversion in CONVERSIONS:
        if "path" not in outcomes.get(conversion.name, {}):
            outcomes[conversion.name] = convert(case, conversion, outcomes, tools)
            kept.write_text(json.dumps(outcomes))
        tell(f"{case.name} {conversion.name}: {outcomes[conversion.name]}")
    rows = []
    for conversion in CONVERSIONS:
        for runtime in conversion.runtimes or ("",):
            facts = {"tool": conversion.title, "scheme": conversion.scheme, "format": conversion.suffix[1:]}
            rows.append({"name": conversion.name, **facts, "runtime": runtime, **outcomes[conversion.name]})
    for row in rows:
        if "error" not in row and row["runtime"]:
            try:
                row |= accuracy(Path(row["path"]), row["runtime"], case.judge)
            except Exception as error:  # of any runtime: it becomes a row
                row["error"] = first_line(error)
            shown = {key: row.get(key) for key in ("top1", "agreement", "sqnr_db", "error")}
            tell(f"{case.name} {row['name']} on {row['runtime']}: {shown}")
    timed = [row for row in rows if "sqnr_db" in row and "error" not in row]
    files = [(Path(row["path"]), row["runtime"]) for row in timed]
    latency, others = latencies(files, case.judge.images[0], seconds)
    for row, timing in zip(timed, latency, strict=True):
        row |= {"error": timing} if isinstance(timing, str) else timing
    return rows, others


def convert(case: Case, conversion: Conversion, outcomes: dict[str, Any], tools: str) -> dict[str, Any]:
    """Run one conversion: its file and its cost from the .keras file on, or its error."""
    before = outcomes.get(conversion.after, {"seconds": 0.0, "cpu_seconds": 0.0, "peak_gb": 0.0})
    if "error" in before:
        return {"error": f"needs {conversion.after}, which failed"}
    out = case.folder / f"{conversion.name}{conversion.suffix}"
    python = tools if conversion.environment == TOOLS else sys.executable
    if not Path(python).exists():
        return {"error": "not installed"}
    source = Path(before["path"]) if conversion.after else case.model
    command = step(conversion.step, python, source, case.calibration, out)
    if conversion.ours:
        command = ours(case, conversion, out)
    began = _processor_seconds()
    usage = cost(command)
    spent = _processor_seconds() - began
    files = files_of(conversion, out)
    if not files:
        return {"error": error_of(out, usage)}
    return {
        "path": str(files[0]),
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": before["seconds"] + usage["seconds"],
        "cpu_seconds": before["cpu_seconds"] + spent,
        "peak_gb": max(before["peak_gb"], usage["peak_gb"]),
    }


def files_of(conversion: Conversion, out: Path) -> list[Path]:
    """What was made. OpenVINO's weights stand beside its graph, ours in a folder with their report."""
    if conversion.ours:
        return [file for suffix in ("tflite", "onnx") for file in out.with_suffix("").glob(f"*.{suffix}")]
    return [file for file in (out, out.with_suffix(".bin")) if file.exists()]


def ours(case: Case, conversion: Conversion, out: Path) -> list[str]:
    """Our command; it compares its file with Keras on the images of the proof, which the others do not."""
    command = [sys.executable, "-m", "resnet_edge", "convert", str(case.model), "--quiet"]
    command += ["--out", str(out.with_suffix("")), "--schemes", conversion.scheme]
    command += ["--formats", conversion.suffix[1:], "--latency-seconds", "0", "--preprocess", "none"]
    return [*command, "--data", str(case.proof), "--calibration", str(case.calibration)]


def step(name: str, python: str, source: Path, calibration: Path, out: Path) -> list[str]:
    """A step of convert.py."""
    return [python, str(HERE / "convert.py"), name, str(source), str(calibration), str(out)]


def quietly(command: list[str]) -> None:
    """Run what must not fail. TensorFlow prints on stdout, where the tables go."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def error_of(out: Path, usage: dict[str, float]) -> str:
    """What the step wrote down, or how it ended."""
    said = out.with_suffix(".error")
    return said.read_text() if said.exists() else f"exit code {usage['exit_code']:.0f}"


def _processor_seconds() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def tell(line: str) -> None:
    """Progress, next to the tables."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
