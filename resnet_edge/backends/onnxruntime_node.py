"""ONNX Runtime in Node.js, on the CPU: what an application on Electron or a server in JavaScript runs.

It is the library of the Python package in another binding, and gives the same numbers, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import check_device, check_file, misfit, specs_of, the_classifier
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.backends._program import FOLDER, Program, Refused
from resnet_edge.backends._web_packages import node, node_modules, require
from resnet_edge.core.errors import ArtifactError, first_line

FORMATS = frozenset({"onnx"})
DEVICES = frozenset({"cpu"})
FOR_PARITY_ONLY = True
CALL_SECONDS = 120.0

_VERSION = require("onnxruntime_node", "onnxruntime-node", "dist/index.js", browser=False)
_NODE = node("onnxruntime_node")


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[NodeSession]:
    """Open an .onnx or .ort file. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError where Node.js
    does not start."""
    check_device("onnxruntime_node", device, DEVICES, "npm brings it for the CPU")
    check_file(path)
    command = [_NODE, str(FOLDER / "onnxruntime_node.mjs"), str(node_modules())]
    # See core/worker.py.
    program = Program("onnxruntime-node", path, command, {"ORT_DISABLE_TELEMETRY": "1"})
    try:
        yield NodeSession(path, program, threads)
    finally:
        program.close()


class NodeSession:
    """A session in another process."""

    device = "cpu"

    def __init__(self, path: Path, program: Program, threads: int) -> None:
        self._path, self._program = path, program
        try:
            opened, _ = program.call({"model": str(path.resolve()), "threads": threads}, CALL_SECONDS)
        except Refused as refused:
            raise ArtifactError(
                f"{path} cannot be opened as ONNX ({first_line(refused)}): copy or convert it again"
            ) from refused
        image, scores = the_classifier(path, specs_of(opened["inputs"]), specs_of(opened["outputs"]))
        self.input, self.output = with_quantization(path, image, scores)

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        return self._run(images, 1)

    def each(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session."""
        return self._run(images, len(images))

    def _run(self, images: NDArray[Any], count: int) -> NDArray[Any]:
        one = images if count == 1 else images[:1]
        if reason := misfit(one, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        request = {"dtype": self.input.dtype, "shape": list(one.shape), "count": count}
        try:
            answer, data = self._program.call(
                request, CALL_SECONDS + len(images), np.ascontiguousarray(images).tobytes()
            )
        except Refused as refused:
            raise ArtifactError(f"{self._path} does not run: {first_line(refused)}") from refused
        return np.frombuffer(data, answer["dtype"]).reshape(answer["shape"]).copy()
