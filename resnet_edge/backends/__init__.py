"""Backends: runtimes that open an artifact and run it. One file each, named like the option value.

A backend is a module with

- `FORMATS`: the formats it opens (a frozenset of names);
- `DEVICES`: the devices it can be asked for; `cpu` is one, and meant where none is named;
- `version`: a function that returns the runtime's version as text;
- `open_session(path, device, threads)`: a context manager that gives a `Session`. It raises
  DeviceUnavailable where the device is not there, never falling back, and ArtifactError
  where the file cannot be opened.
- where the runtime tells it, `profile(path, device, threads, images, runs)`: a
  core.results.profile.Profile;
- where the runtime tells it, `execution(path, device)`: the core.results.execution.OperatorRun of each
  operation of an inference, or None for a device of which it tells nothing;
- where it is there to be compared with, and not to be fast, `FOR_PARITY_ONLY = True`: `bench` leaves it
  out unless it is named.
- where it runs in a browser, `IN_BROWSER = True`: its worker is not shut in, as a browser needs sockets and
  shuts itself in.
- where there is something to start before any file is opened (a browser), `start()`, which does it once:
  it belongs to no artifact's time.
- where it opens less than its formats hold: `ENDS`, the dtypes of inputs and outputs that it opens (else
  all), `FIXED_BATCH = True`, if none of a dynamic batch size, and `RGB_ONLY = True`, if none but of images
  of 3 channels. All else is an ArtifactError when opened.

`IN_BROWSER` and these are literals on a line of their own, which `core.registry.constant` reads without
importing the file; in a file of data they are in small letters:

- `KERNELS`: whose kernels it runs, where other backends have the same: `xnnpack`, `reference` (those of
  TensorFlow Lite, written for clarity) or `onnxruntime`. Else they are its own.
- `SAME_SCORES`: where what it gives is, to the last bit, what the first backend of its kernels gives:
  `"all"`, or `"integers"` for files that are integers to the end.
- `ARENA = True`: it has `arena(path)`, which tells the memory that a file takes (core.arena.Arena).
- `FIRST_FOR_MODELS = True`: it times the Keras model of a folder where nobody named a backend.
- `DEVICE_PACKAGES`: the devices that `host prepare` can bring to another machine, beside the CPU, each with
  the distribution that stands in place of the runtime's own; empty where that has the device, too.
- `FIRST_FOR`: the suffixes of files that run on it where nobody named a backend.

`core.registry` finds it by its file name and `tests/contracts/test_backends.py` tests it.
The clock and the quantization of inputs and outputs are outside (benchmarking/latency.py,
core/tensors.py), the same for all.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from resnet_edge.core.artifact import TensorSpec


class Session(Protocol):
    """An opened artifact. `device` is what the runtime says, not what was asked for: where a program
    imitates the device it is `core.device.as_software(device)`.

    A session whose runtime is in another process, so that a call from here would time the way to it,
    may have `timed(images, calls)`: the milliseconds of each of `calls` inferences, by a clock
    beside the runtime; and `each(images)`: what `run` gives for one image at a time, on one way.

    One whose runtime tells the names of classes has `labels`, a tuple of them by output, empty text where
    it has none.
    """

    input: TensorSpec
    output: TensorSpec
    device: str

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """Images (B, H, W, C) in the input's dtype to outputs (B, classes), a fresh array.

        Returns when the result is complete. A batch that the artifact's fixed batch size
        does not match is an ArtifactError.
        """


class Backend(Protocol):
    """What a module in this folder offers."""

    FORMATS: frozenset[str]
    DEVICES: frozenset[str]

    def version(self) -> str: ...

    def open_session(self, path: Path, device: str, threads: int) -> AbstractContextManager[Session]: ...
