"""LiteRT on the CPU, through the Interpreter with its default delegate (XNNPACK)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.backends._border import check_device, check_file, misfit, the_classifier
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.profile import Profile

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})


def version() -> str:
    """The version of the runtime."""
    return metadata.version("ai-edge-litert")


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[LiteRTSession]:
    """Open a .tflite file. Raises DeviceUnavailable, ArtifactError."""
    check_device("litert", device, DEVICES, "its GPU delegate is not part of the Python interpreter")
    check_file(path)
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
        session = LiteRTSession(path, interpreter)
    except (ValueError, RuntimeError) as error:
        raise ArtifactError(
            f"{path} cannot be opened as TFLite ({first_line(error)}): {_hint(error)}"
        ) from error
    yield session


def _hint(error: Exception) -> str:
    if "XNNPACK" in str(error) and "failed to prepare" in str(error):
        # It wants input step x weight step / output step below 256, and what is above has no precision.
        return "XNNPACK refuses its scales, which lie too far apart within a layer: use another scheme"
    return "copy or convert it again"


def profile(path: Path, device: str, threads: int, images: NDArray[Any], runs: int) -> Profile:
    """The operators of an inference on `images`, XNNPACK's among them. Raises DeviceUnavailable,
    ArtifactError. To be called in a process that ends soon."""
    from resnet_edge.backends._litert_fold import folded
    from resnet_edge.backends._litert_profile import watch
    from resnet_edge.graph.model import read_graph

    check_device("litert", device, DEVICES, "its GPU delegate is not part of the Python interpreter")
    check_file(path)
    kinds, microseconds = watch(path, threads, images, runs)
    return Profile(folded(read_graph(path), kinds, microseconds), runs)


class LiteRTSession:
    """An interpreter with its tensors allocated; a dynamic batch is reallocated when it changes."""

    device = "cpu"

    def __init__(self, path: Path, interpreter: Interpreter) -> None:
        self.input, self.output = the_classifier(path, *_declared(interpreter))
        self._path = path
        self._interpreter = interpreter
        details = interpreter.get_input_details()[0]
        self._in = int(details["index"])
        self._out = int(interpreter.get_output_details()[0]["index"])
        self._shape = tuple(int(size) for size in details["shape"])
        self._dtype = np.dtype(self.input.dtype)

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if images.shape != self._shape or images.dtype != self._dtype:
            self._fit(images)
        try:
            self._interpreter.set_tensor(self._in, images)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{self._path} does not run: {first_line(error)}") from error
        outputs: NDArray[Any] = self._interpreter.get_tensor(self._out)
        return outputs

    def _fit(self, images: NDArray[Any]) -> None:
        """Allocate for another batch size. Raises ArtifactError where the file does not allow it."""
        if reason := misfit(images, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        self._interpreter.resize_tensor_input(self._in, images.shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shape = images.shape


def _declared(interpreter: Interpreter) -> tuple[list[TensorSpec], list[TensorSpec]]:
    """Inputs and outputs, named as the signature names them; as the tensors where there is none."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    names: Mapping[int, str] = {}
    if len(signatures) == 1:
        runner = interpreter.get_signature_runner(next(iter(signatures)))
        sides = {**runner.get_input_details(), **runner.get_output_details()}
        names = {int(details["index"]): name for name, details in sides.items()}
    return [_spec(one, names) for one in inputs], [_spec(one, names) for one in outputs]


def _spec(details: Mapping[str, Any], names: Mapping[int, str]) -> TensorSpec:
    affine = details["quantization_parameters"]
    quantization = None
    if len(affine["scales"]):
        quantization = Quantization(
            tuple(float(scale) for scale in affine["scales"]),
            tuple(int(point) for point in affine["zero_points"]),
            int(affine["quantized_dimension"]) if len(affine["scales"]) > 1 else None,
        )
    shape = tuple(None if size < 0 else int(size) for size in details["shape_signature"])
    name = names.get(int(details["index"]), str(details["name"]))
    return TensorSpec(name, shape, np.dtype(details["dtype"]).name, quantization)
