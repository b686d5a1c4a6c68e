"""The commands that every network goes through, and what came of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.good_files.store import Store

Result = Literal["yes", "refused", "fails", "breaks"]
"""yes: done, and nothing that was proved contradicts it. refused: a line that says why. fails: an artifact
failed its proof. breaks: a traceback, another exit code, or no end."""

TRAINED = ("--data", "proof.npz", "--epochs", "1", "--batch-size", "16", "--validation", "0")
PRUNED = (*TRAINED, "--warmup-epochs", "0", "--learning-rate", "0.0001")
COMMANDS: dict[str, tuple[str, ...]] = {
    "convert": (
        *("convert", "{model}", "--data", "proof.npz", "--calibration", "calibration.npz"),
        *("--schemes", "fp32,int8", "--calibrator", "minmax", "--max-drop", "5"),
        *("--latency-seconds", "0", "--out", "dist"),
    ),
    "verify": ("verify", "dist"),
    "channel": (
        *("prune", "{model}", "--method", "channel", "--amount", "0.3", *PRUNED, "--out", "channel.keras"),
    ),
    "magnitude": (
        *("prune", "{model}", "--method", "magnitude", "--amount", "0.5", *PRUNED, "--out", "zeros.keras"),
    ),
    "qat": ("qat", "{model}", *TRAINED, "--learning-rate", "0.0001", "--out", "qat.keras"),
}
"""By name. One epoch on the images of the proof shows that a command ends, and nothing about accuracy."""

PREPARED = frozenset({"convert", "channel", "magnitude", "qat"})
"""Those that are told what the model wants of pixels."""
LONGEST = 1500
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one command on one network. `why`: the line that it ended with, where that is no success. `left`:
    the share of the multiply-accumulates, where there are fewer."""

    network: str
    command: str
    result: Result
    exit_code: int
    seconds: float
    why: str = ""
    left: float | None = None


def outcome(store: Store, command: str, seconds: float, exit_code: int, document: dict[str, Any]) -> Outcome:
    """Of what a command printed with --json."""
    error = str(document.get("error", ""))
    result: Result = "breaks"
    if exit_code in (0, 5):
        result = "yes"
    elif exit_code == 4:
        result, error = "fails", failures(document)
    elif exit_code == 3 and error:
        result = "refused"
    return Outcome(
        network=store.network,
        command=command,
        result=result,
        exit_code=exit_code,
        seconds=round(seconds, 1),
        why=error,
        left=left(document) if result == "yes" else None,
    )


def call(store: Store, command: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document of a command; what it writes to stderr is kept beside the network."""
    facts = store.facts()
    words = [word.format(model=facts["model"]) for word in COMMANDS[command]]
    if command in PREPARED and facts["prepare"] != "model":
        words += ["--preprocess", facts["prepare"]]
    if command != "verify":
        words.append("--overwrite")
    with (store.folder / f"{command}.log").open("w") as log:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "resnet_edge", *words, "--json"],
                cwd=store.folder,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            return -1, {"error": f"no end within {LONGEST // 60} minutes"}
    return done.returncode, read(done.stdout, store.folder / f"{command}.log")


def read(stdout: str, log: Path) -> dict[str, Any]:
    """The document of --json; where there is none, the last line that was written instead."""
    try:
        return dict(json.loads(stdout))
    except ValueError:
        lines = [*log.read_text("utf-8", "replace").splitlines(), *stdout.splitlines()]
        return {"error": next((line.strip() for line in reversed(lines) if line.strip()), "no word")}


def failures(document: dict[str, Any]) -> str:
    """The files that failed their proof, and the first reason."""
    rows = [row for row in document.get("parity", ()) if row["verdict"] == "fail"]
    names = ", ".join(dict.fromkeys(row["artifact"] for row in rows))
    reasons = [reason for row in rows for reason in row["reasons"]]
    return ": ".join((names, *reasons[:1]))


def left(document: dict[str, Any]) -> float | None:
    """The share of the multiply-accumulates that a step left; None where it was no such step."""
    steps = document.get("steps") or [document.get("step", document)]
    last = steps[-1] if isinstance(steps[-1], dict) else {}
    before, after = last.get("before") or {}, last.get("after") or {}
    if not before.get("macs") or not after.get("macs") or before["macs"] == after["macs"]:
        return None
    return float(after["macs"] / before["macs"])
