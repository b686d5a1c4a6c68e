"""Whether `bench` gives the same ratios when it is run again.

    python -m benchmarks.repeatability PATH… [--runs 6] [--budget 30s] [--noise]

Runs `bench` several times on the same artifacts. For every two runs that follow each other, and every two
rows, the ratio of their medians is compared: 1.03 means that one run saw a difference 3 % larger than
the other. `--noise` keeps a second process busy in bursts meanwhile, on all cores, as a neighbour would.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.results import keep, markdown_table

WITHIN = 1.03
BURST = (0.2, 1.5)
"""Seconds of a burst, and between bursts, at most."""


def main() -> None:
    """Run, compare, print a table, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--backends", default="litert,onnxruntime")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--burst", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.burst:
        disturb()
    command = ["bench", *options.paths, "--budget", options.budget, "--backends", options.backends]
    with noise() if options.noise else quiet():
        runs = [run(command, seed) for seed in range(options.runs)]
    result = summary(runs)
    print(table(result))
    keep("repeatability", result, "repeatability_noise" if options.noise else "")


def table(result: dict[str, Any]) -> str:
    """How often two runs say the same."""
    ratios, medians = result["ratios"], result["medians"]
    header = (
        "runs",
        "pairs",
        "within 3 %",
        "19 of 20 within",
        "largest",
        "the p50 themselves, 19 of 20 within",
    )
    cells = (
        *(str(result["runs"]), str(ratios["n"]), f"{ratios['within_3_percent']:.0%}"),
        *(f"{factor - 1:.1%}" for factor in (ratios["of_20_the_19th"], ratios["largest"])),
        f"{medians['of_20_the_19th'] - 1:.1%}",
    )
    return markdown_table(header, [cells], words=0)


def run(command: list[str], seed: int) -> dict[str, Any]:
    """One document of bench."""
    words = [sys.executable, "-m", "resnet_edge", *command, "--json", "--quiet", "--seed", str(seed)]
    document: dict[str, Any] = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout)
    return document


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """How often the ratios of two runs come out within 3 % of each other, and what else differs."""
    moved = [
        abs(np.log(ratio(before, *pair) / ratio(after, *pair)))
        for before, after in itertools.pairwise(runs)
        for pair in itertools.combinations(range(len(before["rows"])), 2)
    ]
    alone = [
        abs(np.log(one["p50_ms"] / other["p50_ms"]))
        for before, after in itertools.pairwise(runs)
        for one, other in zip(before["rows"], after["rows"], strict=True)
    ]
    return {
        "runs": len(runs),
        "rows": [f"{row['artifact']} on {row['backend']}" for row in runs[0]["rows"]],
        "seconds": [document["seconds"] for document in runs],
        "others": [document["quiet"]["others"] for document in runs],
        "steady": [sum(row["verdict"] == "steady" for row in document["rows"]) for document in runs],
        "ratios": described(moved),
        "medians": described(alone),
    }


def ratio(document: dict[str, Any], one: int, other: int) -> float:
    """The latency of one row over that of another, taken round by round."""
    rows = document["rows"]
    return float(rows[one]["times_fastest"] / rows[other]["times_fastest"])


def described(moved: list[float]) -> dict[str, float]:
    """Of absolute logarithms of what should be 1."""
    return {
        "n": len(moved),
        "within_3_percent": float(np.mean(np.exp(moved) <= WITHIN)),
        "median": float(np.exp(np.median(moved))),
        "of_20_the_19th": float(np.exp(np.percentile(moved, 95))),
        "largest": float(np.exp(np.max(moved))),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing but what the machine does anyway."""
    yield


@contextmanager
def noise() -> Iterator[None]:
    """Another process, which works in bursts."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.repeatability", "none", "--burst"]) as process:
        try:
            yield
        finally:
            process.kill()


def disturb() -> None:
    """Multiply matrices, on all cores, now and then, until killed."""
    random = np.random.default_rng()
    matrix = random.normal(size=(1500, 1500))
    while True:
        until = time.monotonic() + random.uniform(0, BURST[0])
        while time.monotonic() < until:
            np.dot(matrix, matrix)
        time.sleep(random.uniform(0, BURST[1]))


if __name__ == "__main__":
    main()
