"""A session whose runtime is in a program of its own (_program.py), fed with a batch a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, misfit, specs_of, the_classifier
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.backends._program import Program, Refused
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line

IoSpec = tuple[TensorSpec, TensorSpec]


class ProgramSession:
    """A file that the program has opened; `seconds` is the time it has for a call, and `for_each` what is
    added for each value of the images."""

    device = "cpu"

    def __init__(self, path: Path, program: Program, ends: IoSpec, seconds: float, for_each: float) -> None:
        self.input, self.output = ends
        self._path, self._program = path, program
        self._seconds, self._for_each = seconds, for_each

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
        seconds = self._seconds + self._for_each * images.size
        try:
            answer, data = self._program.call(request, seconds, np.ascontiguousarray(images).tobytes())
        except Refused as refused:
            raise ArtifactError(f"{self._path} does not run ({first_line(refused)}): {AGAIN}") from refused
        return np.frombuffer(data, answer["dtype"]).reshape(answer["shape"]).copy()


def opened(path: Path, program: Program, threads: int, seconds: float) -> Any:
    """What the program tells of the file when it opens it. Raises Refused, ArtifactError."""
    return program.call({"model": str(path.resolve()), "threads": threads}, seconds)[0]


def onnx_io_spec(path: Path, program: Program, threads: int, seconds: float) -> IoSpec:
    """The input and the output of an .onnx or .ort file, which the program opens. Raises ArtifactError."""
    try:
        answer = opened(path, program, threads, seconds)
    except Refused as refused:
        raise ArtifactError(
            f"{path} cannot be opened as ONNX ({first_line(refused)}): copy or convert it again"
        ) from refused
    image, scores = the_classifier(path, specs_of(answer["inputs"]), specs_of(answer["outputs"]))
    return with_quantization(path, image, scores)
