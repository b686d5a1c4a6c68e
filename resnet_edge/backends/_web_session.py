"""A model file opened by a JavaScript runtime in a page of Chromium, as a backend's session."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import check_device, check_file, misfit, the_classifier
from resnet_edge.backends._browser import CALL_SECONDS, OpenPage, browser
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.device import as_software
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, first_line

DEVICES = frozenset({"cpu", "gpu"})
"""WebAssembly and WebGPU."""


@dataclass(frozen=True)
class Runtime:
    """A module of web/, the backend that it belongs to, and its format as a person says it.

    `mend` says what to do about a reason that it gives, and `refuse` raises DeviceUnavailable or
    ArtifactError for what it opens and cannot run.
    """

    backend: str
    module: str
    format: str
    mend: Callable[[str], str]
    refuse: Callable[[Path, str, TensorSpec, TensorSpec], None]


class Refused(Exception):
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
        except Refused as refused:
            raise _whose_fault(runtime, path, device, first_line(refused)) from refused
        image, scores = the_classifier(path, _specs(opened["inputs"]), _specs(opened["outputs"]))
        runtime.refuse(path, device, image, scores)
        ends = with_quantization(path, image, scores)
        yield WebSession(path, page, ends, as_software(device) if opened["imitated"] else device)


def _open(runtime: Runtime, page: OpenPage, device: str, threads: int) -> dict[str, Any]:
    request = {
        "runtime": f"./{runtime.module}",
        "model": page.model,
        "device": device,
        "threads": threads,
    }
    opened = page.call("open", request)
    if "error" in opened:
        raise Refused(opened["error"])
    if "inputs" not in opened:
        raise DeviceUnavailable(
            "Chromium finds no adapter for WebGPU: install a GPU's driver, or use the device cpu"
        )
    return opened


def _whose_fault(runtime: Runtime, path: Path, device: str, reason: str) -> ArtifactError | DeviceUnavailable:
    """A file that WebAssembly opens is not to blame for what WebGPU does with it."""
    if device != "cpu":
        with suppress(Refused), browser().page(path, (runtime, "cpu", 1)) as page:
            _open(runtime, page, "cpu", 1)
            return DeviceUnavailable(
                f"{path} opens on cpu and not on {device} ({reason}): use the device cpu"
            )
    return ArtifactError(f"{path} cannot be opened as {runtime.format} ({reason}): {runtime.mend(reason)}")


class WebSession:
    """A session in another process: it has a clock of its own, beside the runtime."""

    def __init__(self, path: Path, page: OpenPage, ends: tuple[TensorSpec, TensorSpec], device: str) -> None:
        self.input, self.output = ends
        self.device = device
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
        one = images if count == 1 else images[:1]
        if reason := misfit(one, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        data = base64.b64encode(np.ascontiguousarray(images).data).decode("ascii")
        return {"data": data, "dtype": self.input.dtype, "shape": list(one.shape)}

    def _call(self, function: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        answer = self._page.call(function, request, seconds)
        if "error" in answer:
            reason = first_line(Refused(answer["error"]))
            raise ArtifactError(f"{self._path} does not run: {reason}")
        return answer


def _specs(ends: Sequence[Mapping[str, Any]]) -> list[TensorSpec]:
    return [TensorSpec(end["name"], tuple(end["shape"]), end["dtype"]) for end in ends]
