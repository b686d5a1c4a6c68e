"""Take every network through every command, and keep what came of it.

    python -m benchmarks.networks WORK [--cases DIR] [--workers N] [--minutes N] [--names NAME,...]
                                       [--commands NAME,...]

A network of every family of keras.applications (`benchmarks.good_files.applications`), and those of DIR: a
model NAME.keras or NAME.h5 with NAME.npz (images, labels) and NAME.answers.npy, what the saving Keras gives.
WORK/outcomes.json holds every cell; one that is there is not run again (--again: where it was no success).
After --minutes no further cell is begun; what is missing then stands in the table as not run.
Networks are made where they are not there yet, with random weights, batch statistics of images, and a last
layer by which answers differ.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock

from benchmarks.good_files.applications import FAMILIES, application
from benchmarks.good_files.networks import Network
from benchmarks.good_files.store import Store
from benchmarks.networks.commands import COMMANDS, Outcome, call, outcome
from benchmarks.networks.table import table
from benchmarks.results import keep

PROOF, TRAINING = 96, 128
SIZE, LARGER = 48, {"Xception": 72, "InceptionV3": 80, "InceptionResNetV2": 80}
"""Pixels, and of those that take no smaller images."""
PREPARE = {"caffe": "caffe", "article": "unit"}
"""Networks of DIR that take prepared images, and how; the others have it inside."""


def main() -> None:
    """Run what is not there yet, and keep all of it."""
    options = arguments()
    networks = {network.name: network for network in chosen(options)}
    if options.make:
        make(networks[options.make], Store(options.work, options.make))
        return
    outcomes = Outcomes(options.work / "outcomes.json", again=options.again)
    options.end = time.monotonic() + 60 * options.minutes
    with ThreadPoolExecutor(options.workers) as pool:
        list(pool.map(lambda one: take(one, options, outcomes), networks.values()))
    result = {
        "networks": list(networks),
        "outcomes": [asdict(one) for one in outcomes.of(networks)],
    }
    print(table(result))
    if not options.names:
        keep("networks", result)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--names", type=lambda text: text.split(","), default=[])
    parser.add_argument("--commands", type=lambda text: text.split(","), default=list(COMMANDS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Network]:
    """The networks, those of DIR last."""
    applications = [
        replace(
            application(name, prepare, LARGER.get(name, SIZE), 0, further), proof=PROOF, training=TRAINING
        )
        for name, prepare, _, _, further in FAMILIES
    ]
    cases = [
        Network(
            name=file.stem,
            build=lambda: None,
            prepare=PREPARE.get(file.stem, "model"),
            proof=PROOF,
            given=str(file.with_suffix("").resolve()),
        )
        for file in sorted(options.cases.iterdir() if options.cases else ())
        if file.suffix in (".keras", ".h5")
    ]
    return [one for one in (*applications, *cases) if not options.names or one.name in options.names]


def make(network: Network, store: Store) -> None:
    """The model and its images."""
    from benchmarks.good_files.training import adopt, train

    (adopt if network.given else train)(network, store)


class Outcomes:
    """What is known so far. With `again`, what was no success is forgotten."""

    def __init__(self, file: Path, *, again: bool) -> None:
        self._file, self._lock = file, Lock()
        known = [Outcome(**one) for one in json.loads(file.read_text())] if file.exists() else []
        self._known = {(one.network, one.command): one for one in known if not again or one.result == "yes"}

    def has(self, network: str, command: str) -> bool:
        return (network, command) in self._known

    def add(self, one: Outcome) -> None:
        """Keep it, in the file as well."""
        with self._lock:
            self._known[one.network, one.command] = one
            half = self._file.with_suffix(".half")
            half.write_text(json.dumps([asdict(each) for each in self._known.values()], indent=1))
            os.replace(half, self._file)

    def of(self, networks: Iterable[str]) -> list[Outcome]:
        """Those of `networks`, in the order of these and of the commands."""
        pairs = [(network, command) for network in networks for command in COMMANDS]
        return [self._known[pair] for pair in pairs if pair in self._known]


def take(network: Network, options: argparse.Namespace, outcomes: Outcomes) -> None:
    """One network through the commands."""
    store = Store(options.work, network.name)
    store.folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in options.commands if not outcomes.has(network.name, name)]
    if wanted and time.monotonic() < options.end and not (store.folder / "network.json").exists():
        words = [sys.executable, "-m", "benchmarks.networks", *sys.argv[1:], "--make", network.name]
        with (store.folder / "make.log").open("w") as log:
            subprocess.run(words, stdout=log, stderr=log, check=True)
    for command in wanted:
        start = time.monotonic()
        if start > options.end:
            return
        exit_code, document = call(store, command)
        one = outcome(store, command, time.monotonic() - start, exit_code, document)
        outcomes.add(one)
        line = f"{network.name} {command}: {one.result} ({exit_code}, {one.seconds:.0f} s) {one.why}"
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
