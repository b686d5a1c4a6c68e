"""Run every GPU row of `bench`, `verify` and `convert`, and one epoch of training, in under ten minutes.

    python -m benchmarks.gpu WORK [--minutes 9.5] [--networks NAME,...] [--images N] [--stand-in] [--keep]
    python -m benchmarks.gpu WORK --prepare

Each row is a command in a process of its own, with an end; what cannot be run says why, and the others run.
WORK/gpu.json is whole after every row; --keep puts it into benchmarks/results/ at the end. Exit code 0 where
rows ran, 3 where none did. A device that a program imitates is called -software: its numbers are proved, and
nothing is timed there. --stand-in lets the CPU take the place of a GPU that is not there, to try the script.

The files that are run are in WORK/files. They are made where they are not there, which takes TensorFlow and
one to three minutes; --prepare makes them on another machine, to be carried along.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.gpu import files
from benchmarks.gpu.call import Called, call
from benchmarks.gpu.figures import devices, figures
from benchmarks.gpu.rows import (
    NETWORKS,
    Row,
    Target,
    all_rows,
    limit,
    read_doctor,
    where,
    with_what_is_here,
)
from benchmarks.gpu.table import summary, table
from benchmarks.results import document, keep
from resnet_edge.core.device import is_software

MINUTES = 9.5
"""By default: under ten with the last row's end and the table."""
LEAST = 6.0
"""Seconds below which nothing is begun: Python, a runtime and a file take as long to open."""
PART = {"facts": 0.05, "doctor": 0.3, "files": 0.3}
"""Of the time that is left, at most, for what comes before the rows."""
IMAGES = {"resnet20": 1000, "resnet50": files.PROOF}
IMITATED = {"litert": 64, "onnxruntime_web": 6}
"""Images of ResNet-20 on a device that a program imitates, where each takes 20 ms and half a second; of
ResNet-50 as many as two."""
OPENING = 0.5
"""Of a row's time that `bench` has as its budget: what it opens and warms up twice may take longer."""


@dataclass(kw_only=True)
class Run:
    """What is known so far. `states`: what doctor says of each target."""

    work: Path
    networks: list[str]
    images: int
    stand_in: bool
    end: float
    facts: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Target] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def result(self) -> dict[str, Any]:
        """What the file keeps: nothing of where WORK is."""
        kept = {"gpus": self.facts, "stand_in": self.stand_in, "rows": self.rows}
        text = json.dumps(kept).replace(f"{self.work}{os.sep}", "")
        result: dict[str, Any] = json.loads(text)
        return result

    def save(self) -> None:
        """Write WORK/gpu.json, all of it or nothing."""
        half = self.work / "gpu.json.half"
        half.write_text(json.dumps(document("gpu", self.result()), indent=1) + "\n", "utf-8")
        os.replace(half, self.work / "gpu.json")


def main() -> None:
    """Run all rows, print the table, and say how many ran where."""
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    run = Run(
        work=options.work.resolve(),
        networks=options.networks,
        images=options.images,
        stand_in=options.stand_in,
        end=time.monotonic() + 60 * options.minutes,
    )
    if options.prepare:
        run.end = time.monotonic() + 3600
        prepare(run, 1.0)
        sys.exit(3 if run.missing else 0)
    look(run)
    prepare(run, PART["files"])
    run_rows(run)
    print(table(run.result()))
    print(summary(run.rows))
    if options.keep:
        keep("gpu", run.result())
    sys.exit(0 if any(row["ran_on"] for row in run.rows) else 3)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--networks", type=lambda text: text.split(","), default=list(NETWORKS))
    parser.add_argument("--images", type=int, default=max(IMAGES.values()))
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def look(run: Run) -> None:
    """Which GPUs there are, and which devices open."""
    facts = call(["benchmarks.gpu.facts"], PART["facts"] * run.left, run.work / "logs" / "facts.log")
    run.facts = facts.document or {"why": facts.why}
    doctor = call(
        ["resnet_edge", "doctor", "--json", "--quiet"],
        PART["doctor"] * run.left,
        run.work / "logs" / "doctor.log",
    )
    say("doctor", doctor)
    run.states = read_doctor(doctor.document)
    if "backends" not in doctor.document:  # then each command finds out what is here by itself
        run.states = {target: Target(device=target.partition(":")[2]) for target in run.states}


def prepare(run: Run, part: float) -> None:
    """Make the files that are not there; a network that has none has no rows, and they say why."""
    strided = files.write_strided(run.work, part * run.left)
    if not strided.ran:
        run.missing["strided"] = strided.why
    for name in run.networks:
        done = files.prepared(run.work, name, part * run.left)
        say(f"files of {name}", done)
        if not done.ran:
            run.missing[name] = done.why


def run_rows(run: Run) -> None:
    """All rows in turn, each within its share of the time that is left."""
    planned = [
        (row, *with_what_is_here(row, run.states, stand_in=run.stand_in)) for row in all_rows(run.networks)
    ]
    pending = [row.share for row, here, _ in planned if here.targets]
    for row, here, reasons in planned:
        reasons = (*reasons, *files_missing(run, row))
        if not here.targets or files_missing(run, row):
            run.rows.append(entry(row, here, reasons, None))
        elif run.left < LEAST:
            run.rows.append(entry(row, here, ("no time was left",), None))
        else:
            seconds = limit(run.left, row.share, sum(pending[1:]))
            done = call(words(run, here, seconds), seconds, log_of(run, row), environment(here))
            say(row.name, done)
            run.rows.append(entry(row, here, reasons, done))
        if here.targets:
            del pending[0]
        run.save()


def files_missing(run: Run, row: Row) -> tuple[str, ...]:
    """Why there are no files for it."""
    key = "strided" if row.command == "strided" else row.network
    return (f"its files could not be made: {run.missing[key]}",) if key in run.missing else ()


def entry(row: Row, here: Row, reasons: Sequence[str], done: Called | None) -> dict[str, Any]:
    """A row of the file. `targets`: what was asked for; `tried`: what of it was run, or a stand-in."""
    kept = {} if done is None else figures(done.document)
    why = list(reasons)
    if done is not None and done.why and "failures" not in kept:
        why.append(f"{', '.join(here.targets)}: {done.why}")
    return {
        "command": row.command,
        "network": row.network,
        "batch": row.batch,
        "targets": list(row.targets),
        "tried": [] if done is None else list(here.targets),
        "ran_on": where(devices(kept)),
        "seconds": None if done is None else done.seconds,
        "exit_code": None if done is None else done.exit_code,
        "why": why,
        **kept,
    }


def words(run: Run, row: Row, seconds: float) -> list[str]:
    """The command of a row: what comes after `python -m`."""
    own = files.network_files(run.work, row.network)
    backends = ["--backends", ",".join(row.targets)]
    if row.command == "strided":
        device = row.targets[0].partition(":")[2]
        return ["benchmarks.gpu.strided", str(own.folder.with_name("strided")), "--device", device]
    if row.command == "train":
        out = run.work / "trained" / f"{row.targets[0].replace(':', '_')}.keras"
        out.parent.mkdir(exist_ok=True)
        arguments = ["--arch", row.network, "--data", str(own.proof), "--epochs", "1", "--batch-size", "128"]
        arguments += ["--warmup-epochs", "0", "--out", str(out), "--overwrite", "--json"]
        return ["resnet_edge", "train", *arguments]
    if row.command == "convert":
        return [*convert_words(run, row, own), *backends]
    artifacts = [path for suffix in row.suffixes for path in own.artifacts(suffix)]
    if row.command == "bench":
        budget = ["--batch", str(row.batch), "--budget", f"{max(1, int(OPENING * seconds))}s"]
        return ["resnet_edge", "bench", *artifacts, *backends, *budget, "--accept-noise", "--json"]
    tensorflow = find_spec("tensorflow") is not None
    proof = ["--reference", own.reference(tensorflow=tensorflow), "--data", str(own.proof), "--no-explain"]
    proof += ["--images", str(count(run, row)), "--max-drop", "5"]
    if tensorflow:
        proof += ["--attribute", "0", *files.preprocess(own)]
    return ["resnet_edge", "verify", *artifacts, *backends, *proof, "--json"]


def convert_words(run: Run, row: Row, own: files.NetworkFiles) -> list[str]:
    """As a user types it, but for the images: of a device that is imitated they would take minutes."""
    few = run.work / "few.npz"
    save_few(own.proof, few, count(run, row))
    converted = ["resnet_edge", "convert", str(own.model), "--data", str(few), "--schemes", "fp32,fp16,int8"]
    converted += ["--calibration", str(own.folder / "calibration.npz"), "--calibrator", "minmax"]
    converted += ["--no-plan", "--max-drop", "5", "--latency-seconds", "4", *files.preprocess(own)]
    return [*converted, "--out", str(run.work / "converted"), "--overwrite", "--json"]


def save_few(proof: Path, out: Path, images: int) -> None:
    import numpy as np

    with np.load(proof) as held:
        np.savez(out, images=held["images"][:images], labels=held["labels"][:images])


def count(run: Run, row: Row) -> int:
    """Images that it is proved on."""
    imitated = [
        IMITATED[target.partition(":")[0]] if row.network == "resnet20" else 2
        for target in row.targets
        if target in run.states and is_software(run.states[target].device)
    ]
    return min(run.images, IMAGES[row.network], *imitated)


def environment(row: Row) -> Mapping[str, str]:
    """Keras trains on what it is told to compute with."""
    return (
        {"KERAS_BACKEND": "jax"} if row.command == "train" and row.targets[0].startswith("keras_jax") else {}
    )


def log_of(run: Run, row: Row) -> Path:
    """What a row wrote to stderr."""
    return run.work / "logs" / f"{row.name.replace(':', '_').replace(',', ' ')[:120]}.log"


def say(name: str, done: Called) -> None:
    """A line of progress."""
    ended = f" {done.why}" if done.why else ""
    print(f"{name}: {done.seconds:.0f} s{ended}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
