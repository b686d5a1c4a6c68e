"""`resnet-edge convert`, or another command, as a real process, and a tiny trained classifier for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.interrupts import SIGNALS

SIZE, CLASSES = 12, 4
NAMES = ("amber", "blå", "cyan", "dun")
HANGS_AFTER = 1200
"""Seconds. `package` with a museum of ten runtimes takes five minutes beside other work."""


@dataclass(frozen=True)
class Ended:
    """How a run ended. `errors` are the lines on stderr that are not progress."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


class Place:
    """A folder to run in, whose TMPDIR is beside it and marks every process of the run."""

    def __init__(self, root: Path, command: str = "convert") -> None:
        self.command = command
        self.here, self.scratch = root / "here", root / "scratch"
        self.here.mkdir()
        self.scratch.mkdir()

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> Running:
        return Running(self, words, environment or {})

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
        return self.start(*words, environment=environment).finish()

    def processes(self, log: str = "") -> list[int]:
        """The processes of runs here; those that write to a log of that name."""
        pids = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"TMPDIR={self.scratch}".encode() in (entry / "environ").read_bytes()
                if ours and (not log or Path(os.readlink(entry / "fd" / "1")).name == log):
                    pids.append(int(entry.name))
            except OSError:  # it has ended, or is another user's
                continue
        return pids

    def is_clean(self) -> bool:
        """No process is left, nothing is in TMPDIR, and nothing hidden is beside DIR."""
        until = time.monotonic() + 10
        while self.processes() and time.monotonic() < until:
            time.sleep(0.05)
        hidden = [entry for entry in self.here.iterdir() if entry.name.startswith(".")]
        return not (self.processes() or any(self.scratch.iterdir()) or hidden)


@contextmanager
def heeded() -> Iterator[None]:
    """Within, no signal is ignored, as nohup and a shell's background have it: a run inherits that."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ignored = [number for number, handler in before.items() if handler is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


class Running:
    """A run that can be watched and disturbed."""

    def __init__(self, place: Place, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.place = place
        self._said = ""
        with heeded():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "resnet_edge", place.command, *words],
                cwd=place.here,
                env={**os.environ, "TMPDIR": str(place.scratch), **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )

    def until(self, text: str) -> Running:
        """Wait for a line on stderr that holds `text`."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said += line
            if text in line:
                return self
        raise AssertionError(f"{text!r} was never said, but:\n{self._said}")

    def kill(self, worker: str) -> Running:
        """End one worker the hard way."""
        (victim,) = self.place.processes(f"{worker}.log")
        os.kill(victim, signal.SIGKILL)
        return self

    def signal(self, number: int) -> Running:
        self._process.send_signal(number)
        return self

    def finish(self) -> Ended:
        out, err = self._process.communicate(timeout=HANGS_AFTER)
        return Ended(self._process.returncode, out, self._said + err)


def tinted_images(n: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise with a tint that tells the class, (n, SIZE, SIZE, 3)."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, n)
    tints = np.array([[90, 0, 0], [0, 0, 90], [0, 90, 45], [60, 60, 30]])
    noise = random.normal(100, 40, (n, SIZE, SIZE, 3)) + random.normal(0, 12, (n, 1, 1, 3))
    return np.clip(noise + tints[labels][:, None, None], 0, 255).astype(np.uint8), labels


def write_classifier(path: Path) -> None:
    """A residual net with random features and a last layer fitted in closed form to `tinted_images`."""
    import keras

    warnings.simplefilter("ignore", DeprecationWarning)  # Keras 3.15 converts variables in an old way
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    y = keras.layers.Conv2D(16, 3, padding="same")(y)
    x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    features = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(CLASSES)
    model = keras.Model(image, head(features))
    images, labels = tinted_images(2000, seed=1)
    values = keras.Model(image, features).predict(images.astype(np.float32), verbose=0)
    rows = np.hstack([values, np.ones((len(values), 1))])
    fitted = np.linalg.lstsq(rows, 10 * np.eye(CLASSES)[labels], rcond=None)[0]
    head.set_weights([fitted[:-1].astype(np.float32), fitted[-1].astype(np.float32)])
    model.save(path)
