"""Ends commands at random points, and looks at what is left and what was said.

    python -m benchmarks.kills [--kills 40] [--interrupts 40] [--doubles 20] [--commands inspect,…]

Each command is run once to the end, which tells how long it takes, and then ended at a moment drawn from
all of that time. After SIGINT, once or twice: exit code 130 with one line, or the run was over; nothing in
the folder for temporary files, no process, nothing half-written at --out. After SIGKILL: no process, nothing
half-written at --out; and the next run of the same command in the same folder, which is itself killed but for
every third, to the end, leaves nothing of the killed ones.
What hits in the first tens of milliseconds, before the first line of ours, is answered by
Python, and counted apart.
Exit code 1 where something else was seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from tests.cli.conversion import Ended, Place, tinted_images, write_classifier

TRAINING = ("--data", "{given}/d.npz", "--epochs", "2", "--out", "out.keras")
COMMANDS = {
    "inspect": ("{given}/dist/tiny.fp32.tflite",),
    "convert": (
        "{given}/tiny.keras",
        "--data",
        "{given}/d.npz",
        "--out",
        "out",
        "--schemes",
        "fp32",
        *("--formats", "tflite"),
        *("--latency-seconds", "0"),
    ),
    "verify": (
        "{given}/dist/tiny.fp32.tflite",
        "--reference",
        "{given}/tiny.keras",
        "--data",
        "{given}/d.npz",
    ),
    "bench": ("{given}/dist/tiny.fp32.tflite", "--budget", "1s", "--backends", "litert"),
    "package": (
        "{given}/dist",
        "--data",
        "{given}/d.npz",
        "--out",
        "out",
        "--profiles",
        "litert",
        "--images",
        "20",
    ),
    "train": ("--arch", "resnet8", "--data", "{given}/d.npz", "--epochs", "2", "--out", "out.keras"),
    "prune": ("{given}/tiny.keras", "--method", "channel", "--multiple", "4", *TRAINING),
    "prune-magnitude": ("{given}/tiny.keras", "--method", "magnitude", *TRAINING),
    "qat": ("{given}/tiny.keras", *TRAINING),
}
"""By name, which begins with that of the command."""
DONE = (0, 4, 5)
"""Codes of a run that came to its end: on so few images some proofs are open."""


KILLS_BEFORE_A_WHOLE_RUN = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--interrupts", type=int, default=40)
    parser.add_argument("--doubles", type=int, default=20)
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        given = _given(Path(folder, "given"))
        for command in options.commands.split(","):
            runs = {"kill": options.kills, "interrupt": options.interrupts, "twice": options.doubles}
            for line in _command(command, given, Path(folder), runs, random.Random(options.seed)):
                wrong += 1
                print("WRONG", line, flush=True)
    return 1 if wrong else 0


def _given(folder: Path) -> Path:
    folder.mkdir()
    write_classifier(folder / "tiny.keras")
    images, labels = tinted_images(60, seed=2)
    np.savez(folder / "d.npz", images=images, labels=labels)
    place = _place(folder / "first", "convert")
    words = (
        "--data",
        str(folder / "d.npz"),
        "--schemes",
        "fp32",
        "--latency-seconds",
        "0",
        "--max-drop",
        "60",
    )
    ended = place.run(str(folder / "tiny.keras"), *words, "--out", "dist")
    if not (place.here / "dist").is_dir():
        sys.exit(f"convert gave {ended}")
    shutil.move(place.here / "dist", folder / "dist")
    return folder


def _place(root: Path, command: str) -> Place:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    return Place(root, command.partition("-")[0])


def _command(
    name: str, given: Path, folder: Path, runs: dict[str, int], draw: random.Random
) -> Iterator[str]:
    words = tuple(word.format(given=given) for word in COMMANDS[name])
    began = time.monotonic()
    place = _place(folder / "place", name)
    first = place.run(*words)
    length = time.monotonic() - began
    if first.code not in DONE:
        yield f"{name}: {first}"
        return
    seen: Counter[str] = Counter()
    for how, count in runs.items():
        for number in range(count):
            # one of three kills is followed by a whole run, the others by one that is killed in turn
            first_of_some = how != "kill" or number % KILLS_BEFORE_A_WHOLE_RUN == 0
            place = _place(folder / "place", name) if first_of_some else place
            wait = draw.uniform(0, length)
            ended = _ended(how, place, words, wait, draw)
            if how != "kill" and _too_early(ended):
                seen[f"{how}: in Python's own start-up"] += 1
                continue
            faults = list(_faults(how, place, ended))
            if how == "kill" and ((number + 1) % KILLS_BEFORE_A_WHOLE_RUN == 0 or number + 1 == count):
                faults += _faults_of_the_next(place, words)
            seen[f"{how}: over before" if ended.code in DONE else how] += 1
            yield from (f"{name}, {how} after {wait:.2f} s: {fault}" for fault in faults)
    print(
        f"{name:<15} ({length:.1f} s):",
        ", ".join(f"{count} {how}" for how, count in seen.items()),
        flush=True,
    )


def _ended(how: str, place: Place, words: tuple[str, ...], wait: float, draw: random.Random) -> Ended:
    running = place.start(*words, *_overwrite(place))
    time.sleep(wait)
    running.signal(signal.SIGKILL if how == "kill" else signal.SIGINT)
    if how == "twice":
        time.sleep(draw.uniform(0, 0.3))
        running.signal(signal.SIGINT)
    return running.finish()


def _overwrite(place: Place) -> tuple[str, ...]:
    """What a user adds, whose run was killed behind its very end."""
    there = any((place.here / name).exists() for name in ("out", "out.keras", "out.json"))
    return ("--overwrite",) if there else ()


def _too_early(ended: Ended) -> bool:
    """Whether the interrupt hit Python's own start-up, before our first line (resnet_edge/entry.py)."""
    return ended.code == -signal.SIGINT or (ended.code == 1 and "resnet_edge" not in ended.err)


def _faults(how: str, place: Place, ended: Ended) -> Iterator[str]:
    if "Traceback" in ended.err or "Traceback" in ended.out:
        yield f"a traceback: {ended.err[-600:]!r}"
    until = time.monotonic() + 20
    while place.processes() and time.monotonic() < until:
        time.sleep(0.05)
    if place.processes():
        yield "a process is left"
    yield from (f"{path.name} is not whole" for path in place.here.glob("out*") if not _is_whole(path))
    if how == "kill":
        if ended.code not in (-signal.SIGKILL, *DONE):
            yield f"it ended with {ended.code}: {ended.err[-300:]!r}"
        return
    if ended.code not in DONE and ended.code != 130:
        yield f"it ended with {ended.code}: {ended.err[-300:]!r}"
    elif ended.code == 130 and len(ended.errors) != 1:
        yield f"it said {ended.err[-300:]!r}"
    yield from _left(place)
    there = sorted(path.name for path in place.here.glob("out*"))
    if ended.code == 130 and any(name not in ended.err for name in there):
        yield f"interrupted, and there is {there}, of which it said {ended.errors}"


def _faults_of_the_next(place: Place, words: tuple[str, ...]) -> Iterator[str]:
    again = place.run(*words, *_overwrite(place))
    if again.code not in DONE:
        yield f"the next run gave {again.code}: {again.errors}"
    yield from (f"next run: {fault}" for fault in _left(place))
    yield from (f"next run: {path.name} is left" for path in place.here.glob("*.checkpoint"))


def _left(place: Place) -> Iterator[str]:
    if not place.is_clean():
        hidden = [entry.name for entry in place.here.iterdir() if entry.name.startswith(".")]
        yield f"left: {[entry.name for entry in place.scratch.iterdir()] + hidden}"


def _is_whole(path: Path) -> bool:
    """Of what stands at --out: the archive, or the folder and its own document."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    if path.suffix == ".json":
        return bool(json.loads(path.read_bytes())["steps"])
    if path.name != "out":  # a checkpoint, or logs
        return True
    if (path / "bundle.json").is_file():
        held = json.loads((path / "bundle.json").read_bytes())["sha256"]
    else:
        held = {
            entry["file"]: entry["sha256"]
            for entry in json.loads((path / "report.json").read_bytes())["artifacts"]
        }
    return all(
        hashlib.sha256((path / name).read_bytes()).hexdigest() == digest for name, digest in held.items()
    )


if __name__ == "__main__":
    sys.exit(main())
