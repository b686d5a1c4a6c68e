"""Wall time and memory of `resnet-edge convert` on ResNet-50, against the script by hand.

    python -m benchmarks.convert_cost [--rounds 3]

Both make TFLite fp32, fp16, int8 and ONNX fp32, int8 of keras.applications ResNet50 (random
weights) with the same 64 calibration images; ours also proves each file on 64 images against
Keras and measures latency. They take turns. Memory is the resident set summed over the
process tree, sampled every 50 ms; `cpu_seconds` are those of the process tree, which a busy machine
changes less than wall time. `stages` is what each of our workers cost, from report.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.results import keep

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the rounds and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-seconds", default="3")
    options = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {"by_hand": [], "resnet_edge": []}
    with tempfile.TemporaryDirectory(prefix="convert-cost-") as folder:
        for name in ("images", "calibration"):
            np.savez(Path(folder) / f"{name}.npz", images=pictures(64, seed=len(name)))
        for number in range(options.rounds):
            for who, command in commands(Path(folder), number, options.latency_seconds).items():
                rounds[who].append(cost(command))
                print(f"round {number + 1} {who}: {rounds[who][-1]}", file=sys.stderr)
        stages = [costs(Path(folder) / f"ours_{number}") for number in range(options.rounds)]
    keys = ("seconds", "cpu_seconds", "peak_gb")
    medians = {
        who: {key: statistics.median(row[key] for row in rows) for key in keys}
        for who, rows in rounds.items()
    }
    ratios = {key: medians["resnet_edge"][key] / medians["by_hand"][key] for key in keys}
    result = {"medians": medians, "ratio": ratios, "rounds": rounds, "stages": stages}
    print(json.dumps(result, indent=2))
    keep("convert_cost", result)


def table(result: dict[str, Any]) -> str:
    """Medians side by side."""
    rows = (
        ("wall time", "seconds", "s"),
        ("processor time", "cpu_seconds", "s"),
        ("peak memory, process tree", "peak_gb", "GB"),
    )
    lines = [
        "| | script by hand | resnet-edge, with proof and latency | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, key, unit in rows:
        theirs, ours = (result["medians"][who][key] for who in ("by_hand", "resnet_edge"))
        lines.append(f"| {title} | {theirs:.1f} {unit} | {ours:.1f} {unit} | {result['ratio'][key]:.2f} |")
    return "\n".join(lines)


def commands(folder: Path, number: int, latency_seconds: str) -> dict[str, list[str]]:
    """What each side runs, into fresh folders."""
    by_hand = folder / f"by_hand_{number}"
    by_hand.mkdir()
    ours = [sys.executable, "-m", "resnet_edge", "convert", "app:ResNet50:random", "--quiet"]
    ours += ["--out", str(folder / f"ours_{number}"), "--schemes", "fp32,fp16,int8"]
    ours += ["--data", str(folder / "images.npz"), "--calibration", str(folder / "calibration.npz")]
    ours += ["--latency-seconds", latency_seconds]
    return {
        "by_hand": [sys.executable, str(HERE / "by_hand.py"), str(folder / "calibration.npz"), str(by_hand)],
        "resnet_edge": ours,
    }


def cost(command: list[str]) -> dict[str, float]:
    """Seconds, processor time and peak GB of the process tree, and the exit code of one run."""
    began, peak, before = time.monotonic(), 0, used()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, resident(process))
        time.sleep(0.05)
    return {
        "seconds": time.monotonic() - began,
        "cpu_seconds": used() - before,
        "peak_gb": peak / 1e9,
        "exit_code": process.returncode,
    }


def used() -> float:
    """Processor time of all processes that have ended below this one."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def costs(folder: Path) -> dict[str, dict[str, float]]:
    """What each worker cost in a run of ours that wrote a report."""
    if not (report := folder / "report.json").is_file():
        return {}
    rows = json.loads(report.read_bytes())["costs"]
    return {row["stage"]: {key: row[key] for key in ("seconds", "cpu_seconds", "peak_bytes")} for row in rows}


def resident(process: psutil.Process) -> int:
    """Resident bytes of a process and all below it."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.Error:  # ended between listing and asking
            continue
    return total


def pictures(count: int, seed: int) -> np.ndarray:
    """Smooth coloured noise, (count, 224, 224, 3) uint8: spatial structure without a data set."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (count, 14, 14, 3))
    smooth = coarse.repeat(16, axis=1).repeat(16, axis=2)
    return np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
