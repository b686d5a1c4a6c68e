"""Train a ResNet-18 on photos of 224 pixels, and carry it through every command.

    python -m benchmarks.photos WORK

WORK holds the folders `train`, `test` and `some` of `benchmarks.photos.folder`. Each command runs where what
it makes is not there yet, so that a run that was ended goes on. The trainings are short: two cores make some
30 images a second in bfloat16 with AMX. The network begins on 64 pixels, which is a tenth of the work, and is
no record on this data; what is looked at is what compression does to a network that has learned something.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.photos.table import table
from benchmarks.results import keep

ZOO = ("--arch", "resnet18", "--data", "train", "--precision", "mixed_bfloat16")
FLIPPED = ("--augment", "flip,crop", "--seed", "1")
SHORT = ("--batch-size", "32", "--warmup-epochs", "0.2")
COMMANDS: dict[str, tuple[str, ...]] = {
    "small.keras": (
        *("train", *ZOO, *FLIPPED, "--input-shape", "64,64,3", "--epochs", "30", "--batch-size", "32"),
        *("--learning-rate", "0.05", "--warmup-epochs", "1", "--validation", "0"),
    ),
    "cells.keras": (
        *("train", *ZOO, *FLIPPED, *SHORT, "--start", "small.keras", "--input-shape", "224,224,3"),
        *("--epochs", "5", "--learning-rate", "0.01", "--validation", "0.05"),
    ),
    "half.keras": (
        *("prune", "cells.keras", "--method", "channel", "--amount", "0.5", "--data", "train", *FLIPPED),
        *(*SHORT, "--epochs", "4", "--learning-rate", "0.01", "--precision", "mixed_bfloat16"),
    ),
    "half_qat.keras": (
        *("qat", "half.keras", "--data", "train", *FLIPPED, "--epochs", "1", "--batch-size", "32"),
    ),
    **{
        f"{name}_dist": (
            *("convert", f"{name}.keras", "--data", "test", "--calibration", "some"),
            *("--schemes", "fp32,int8", "--max-drop", "2"),
        )
        for name in ("cells", "half_qat")
    },
    "verify.json": ("verify", "half_qat_dist"),
    "bench.json": ("bench", "cells_dist", "half_qat_dist", "--backends", "litert,onnxruntime"),
    "bundle": ("package", "half_qat_dist", "--data", "test", "--images", "20", "--profiles", "litert,onnx"),
}
"""What is made, and by which command; a command whose result is a document has it printed by --json."""


def main() -> None:
    """Run what is not there yet, and keep the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    work: Path = parser.parse_args().work
    for file_name, command in COMMANDS.items():
        if not (work / file_name).exists():
            run(work, file_name, command)
    result = figures(work)
    print(table(result))
    keep("photos", result)


def run(work: Path, file_name: str, command: tuple[str, ...]) -> None:
    """One command in `work`. That it is inconclusive, or that a bench did not settle (5), is a result."""
    out = ("--json",) if file_name.endswith(".json") else ("--out", file_name)
    print(f"$ resnet-edge {' '.join((*command, *out))}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "resnet_edge", *command, *out],
        cwd=work,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout if not file_name.endswith(".json") else "", f"({done.returncode})", flush=True)
    if done.returncode not in (0, 4, 5):
        sys.exit(done.returncode)
    if file_name.endswith(".json"):
        (work / file_name).write_text(done.stdout, "utf-8")


def figures(work: Path) -> dict[str, Any]:
    """Of the documents that the commands left."""
    timed = {(row["artifact"], row["backend"]): row for row in read(work / "bench.json")["rows"]}
    verified, bundle = read(work / "verify.json"), read(work / "bundle" / "bundle.json")
    networks = ("small", "cells", "half", "half_qat")
    converted = ("cells", "half_qat")
    return {
        "steps": [step_figures(read(work / f"{name}.json")["steps"][-1]) for name in networks],
        "files": {name: files(read(work / f"{name}_dist" / "report.json"), timed) for name in converted},
        "verified": {"passed": verified["passed"], "n": verified["data"]["n"]},
        "bundle": {
            "files": len(bundle["files"]),
            "agree": sum(row["status"] == "agrees" for row in bundle["runtimes"]),
            "ran": sum(bool(row["n"]) for row in bundle["runtimes"]),
        },
    }


def step_figures(step: dict[str, Any]) -> dict[str, Any]:
    """What a step made of the network, and how long its epochs took."""
    kept = {key: step[key] for key in ("step", "title", "before", "after")}
    return kept | {"seconds": sum(epoch["seconds"] for epoch in step["details"].get("history", []))}


def files(report: dict[str, Any], timed: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    """What was proved of each file, and its latency over that of the unpruned float file of its format."""
    sizes = {artifact["file"]: artifact for artifact in report["artifacts"]}
    rows = []
    for proof in report["parity"]:
        artifact = sizes[proof["artifact"]]
        own = timed.get((proof["artifact"], proof["backend"]))
        base = timed.get((f"cells.fp32.{artifact['format']}", proof["backend"]))
        rows.append(
            {key: proof[key] for key in ("n", "top1", "drop_pp", "drop_ci95_pp", "agreement", "verdict")}
            | {key: artifact[key] for key in ("scheme", "format", "size_bytes")}
            | {"of_float": own["p50_ms"] / base["p50_ms"] if own and base else None}
        )
    return rows


def read(file: Path) -> dict[str, Any]:
    """A JSON document."""
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


if __name__ == "__main__":
    main()
