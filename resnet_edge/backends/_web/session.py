"""A model file opened by a JavaScript runtime in a page of Chromium, as a backend's session."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_device, check_file, misfit, specs_of, the_classifier
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.backends._web.browser import CALL_SECONDS, OpenPage, browser
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.device import as_software
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, first_line

DEVICES = frozenset({"cpu", "gpu"})
"""WebAssembly and WebGPU."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A module of web/, the backend that it belongs to, and its format as a person says it.

    `fix` says what to do about a reason that it gives, and `refuse` raises DeviceUnavailable or
    ArtifactError for what it opens and cannot run. `prepared(path, images, count, spec)` checks images and
    gives what is sent; None sends them as they are.
    """

    backend: str
    module: str
    format: str
    fix: Callable[[str], str]
    refuse: Callable[[Path, str, TensorSpec, TensorSpec], None]
    prepared: Callable[[Path, NDArray[Any], int, TensorSpec], NDArray[Any]] | None = None


class PageRefused(Exception):
    """What a runtime in a page says of a file that it does not open."""


def start() -> None:
    """Start the browser. Raises ResnetEdgeError where it does not."""
    browser()


@contextmanager
def open_session(runtime: Runtime, path: Path, device: str, threads: int) -> Iterator[WebSession]:
    """Open a model file in a page of its own. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError
    where the browser breaks."""
    check_device(runtime.backend, device, DEVICES, "a page reaches no other")
    check_file(path)
    with browser().page(path, (runtime, device, threads)) as page:
        try:
            opened = _open(runtime, page, device, threads)
        except PageRefused as refused:
            raise _whose_fault(runtime, path, device, first_line(refused)) from refused
        image, scores = the_classifier(path, specs_of(opened["inputs"]), specs_of(opened["outputs"]))
        runtime.refuse(path, device, image, scores)
        ends = with_quantization(path, image, scores)
        yield WebSession(path, page, ends, as_software(device) if opened["imitated"] else device)


@contextmanager
def open_declared(runtime: Runtime, path: Path, ends: tuple[TensorSpec, TensorSpec]) -> Iterator[WebSession]:
    """As open_session on the CPU, where the runtime does not tell its ends, and tells labels instead."""
    with browser().page(path, (runtime, "cpu", 1)) as page:
        try:
            labels = _open(runtime, page, "cpu", 1, list(ends[0].shape))["labels"]
        except PageRefused as refused:
            raise _whose_fault(runtime, path, "cpu", first_line(refused)) from refused
        runtime.refuse(path, "cpu", *ends)
        yield WebSession(path, page, ends, "cpu", runtime.prepared, tuple(labels))


def _open(
    runtime: Runtime, page: OpenPage, device: str, threads: int, shape: list[int | None] | None = None
) -> dict[str, Any]:
    request = {
        "shape": shape,
        "runtime": f"./{runtime.module}",
        "model": page.model,
        "device": device,
        "threads": threads,
    }
    opened = page.call("open", request)
    if "error" in opened:
        raise PageRefused(opened["error"])
    if "inputs" not in opened:
        raise DeviceUnavailable(
            "Chromium finds no adapter for WebGPU: install a GPU's driver, or use the device cpu"
        )
    return opened


def _whose_fault(runtime: Runtime, path: Path, device: str, reason: str) -> ArtifactError | DeviceUnavailable:
    """A file that WebAssembly opens is not to blame for what WebGPU does with it."""
    if device != "cpu":
        with suppress(PageRefused), browser().page(path, (runtime, "cpu", 1)) as page:
            _open(runtime, page, "cpu", 1)
            return DeviceUnavailable(
                f"{path} opens on cpu and not on {device} ({reason}): use the device cpu"
            )
    return ArtifactError(f"{path} cannot be opened as {runtime.format} ({reason}): {runtime.fix(reason)}")


class WebSession:
    """A session in another process: it has a clock of its own, beside the runtime."""

    def __init__(
        self,
        path: Path,
        page: OpenPage,
        ends: tuple[TensorSpec, TensorSpec],
        device: str,
        prepared: Callable[[Path, NDArray[Any], int, TensorSpec], NDArray[Any]] | None = None,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.input, self.output = ends
        self.device, self.labels = device, labels
        self._prepared = prepared or _as_they_are
        self._path, self._page = path, page

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        return self._run(images, 1)

    def each(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session: the way to the page and back takes longer than many a network."""
        return self._run(images, len(images))

    def _run(self, images: NDArray[Any], count: int) -> NDArray[Any]:
        request = {**self._fitting(images, count), "count": count}
        answer = self._call("run", request, CALL_SECONDS + count)
        outputs = np.frombuffer(base64.b64decode(answer["data"]), answer["dtype"])
        return outputs.reshape(answer["shape"]).copy()  # what a buffer backs cannot be written to

    def timed(self, images: NDArray[Any], calls: int) -> list[float]:
        """Milliseconds of each of `calls` inferences, by the page's clock.

        One is what an application pays that has the image in a typed array: the tensor is made, the
        network runs, and the scores are read into another.
        """
        request = {**self._fitting(images), "calls": calls}
        return list(map(float, self._call("timed", request, CALL_SECONDS + calls)["times"]))

    def _fitting(self, images: NDArray[Any], count: int = 1) -> dict[str, Any]:
        sent = self._prepared(self._path, images, count, self.input)
        data = base64.b64encode(np.ascontiguousarray(sent).data).decode("ascii")
        shape = list(sent.shape if count == 1 else sent[:1].shape)
        return {"data": data, "dtype": sent.dtype.name, "shape": shape}

    def _call(self, function: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        answer = self._page.call(function, request, seconds)
        if "error" in answer:
            reason = first_line(PageRefused(answer["error"]))
            raise ArtifactError(f"{self._path} does not run ({reason}): {AGAIN}")
        return answer


def _as_they_are(path: Path, images: NDArray[Any], count: int, spec: TensorSpec) -> NDArray[Any]:
    if reason := misfit(images if count == 1 else images[:1], spec):
        raise ArtifactError(f"{path}: {reason}")
    return images
