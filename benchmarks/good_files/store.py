"""Where networks and files are kept: WORK/<network>/, one folder for each step that made files there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Good:
    """A file, by the exporter `how`; `takes`: `pixels`, or `preprocessed` as the Keras model does."""

    path: Path
    network: str
    how: str
    scheme: str
    takes: str


class Store:
    """The folder of one network."""

    def __init__(self, work: Path, network: str) -> None:
        self.network, self.folder = network, work / network
        self.model = self.folder / "model.keras"

    def step(self, name: str) -> Path:
        """The folder for the files of a step."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def data(self, name: str) -> Path:
        """`proof` or `calibration`: an .npz of `images` (N,H,W,C) uint8 and `labels` (N,)."""
        return self.folder / f"{name}.npz"

    def arrays(self, name: str) -> tuple[Any, Any]:
        """Images and labels of such a file."""
        with np.load(self.data(name)) as held:
            return held["images"], held["labels"]

    def facts(self) -> dict[str, Any]:
        """What is known of the network: `prepare`, `model` (the file's name), `right`."""
        return dict(read(self.folder / "network.json"))

    def judged(self) -> dict[str, Any]:
        """By file name: agreement of the plain loop with Keras, or why there is none."""
        return dict(read(self.folder / "judged.json"))

    def keep_judged(self, agreements: dict[str, Any]) -> None:
        write(self.folder / "judged.json", agreements)

    def files(self) -> Iterator[Good]:
        """All that were made, good or not."""
        for facts in sorted(self.folder.glob("*/files.json")):
            for name, one in sorted(read(facts).items()):
                if (facts.parent / name).exists():
                    yield Good(path=facts.parent / name, network=self.network, **one)


class Step:
    """One step's folder while files are made: what is there is not made again, and what failed or took the
    process down is not tried again (delete failures.json for that)."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.folder = store, store.step(name)
        self._files, self._failures = self.folder / "files.json", self.folder / "failures.json"

    def wants(self, name: str) -> bool:
        """Whether the file is still to be made; from here on it counts as tried."""
        if name in read(self._files) or name in read(self._failures):
            return False
        write(self._failures, {**read(self._failures), name: "the process ended"})
        return True

    def record(self, name: str, how: str, scheme: str, takes: str) -> None:
        write(self._files, {**read(self._files), name: {"how": how, "scheme": scheme, "takes": takes}})
        failures = read(self._failures)
        failures.pop(name, None)
        write(self._failures, failures)

    def failed(self, name: str, why: str) -> None:
        write(self._failures, {**read(self._failures), name: why})


def read(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where there is no file."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(path: Path, value: dict[str, Any]) -> None:
    """Whole, or not at all."""
    half = path.with_suffix(".half")
    half.write_text(json.dumps(value, indent=1))
    os.replace(half, path)
