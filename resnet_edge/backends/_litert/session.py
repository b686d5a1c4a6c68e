"""A .tflite file in LiteRT's Interpreter, with whichever kernels it is given, and what the file declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_file, misfit, the_classifier
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.budget import PROMISE
from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.machine import available_memory

COPY_AGAIN = "copy or convert it again"


def opened(path: Path, threads: int, kernels: OpResolverType) -> InterpreterSession:
    """A session of the file on the CPU. Raises ArtifactError."""
    check_file(path)
    try:
        interpreter = Interpreter(
            model_path=str(path), num_threads=threads, experimental_op_resolver_type=kernels
        )
        _check_room(path, interpreter)
        interpreter.allocate_tensors()
        return InterpreterSession(path, interpreter)
    except (ValueError, RuntimeError) as error:
        raise ArtifactError(
            f"{path} cannot be opened as TFLite ({first_line(error)}): {mend_of(error)}"
        ) from error


def _check_room(path: Path, interpreter: Interpreter) -> None:
    """Raise ArtifactError where the file declares a tensor for which there is no memory."""
    details = interpreter.get_tensor_details()
    sizes = (math.prod(map(int, one["shape"])) * np.dtype(one["dtype"]).itemsize for one in details)
    largest, room = max(sizes, default=0), available_memory()
    if largest > PROMISE and room is not None and largest > room:
        raise ArtifactError(
            f"{path} declares a tensor of {largest:,} bytes, and {room:,} bytes of memory are free: copy or "
            "convert it again, or use a machine with more memory"
        )


def declared(path: Path) -> tuple[TensorSpec, TensorSpec]:
    """The input and the output of the file, without setting it up to run. Raises ArtifactError."""
    check_file(path)
    try:
        interpreter = Interpreter(model_path=str(path))
        return the_classifier(path, *_ends(interpreter))
    except (ValueError, RuntimeError) as error:
        raise ArtifactError(
            f"{path} cannot be opened as TFLite ({first_line(error)}): {COPY_AGAIN}"
        ) from error


def mend_of(error: Exception) -> str:
    """What to do about a file that does not open."""
    if "XNNPACK" in str(error) and "failed to prepare" in str(error):
        # It wants input step x weight step / output step below 256, and what is above has no precision.
        return "XNNPACK refuses its scales, which lie too far apart within a layer: use another scheme"
    return COPY_AGAIN


class InterpreterSession:
    """An interpreter with its tensors allocated; a dynamic batch is reallocated when it changes."""

    device = "cpu"

    def __init__(self, path: Path, interpreter: Interpreter) -> None:
        self.input, self.output = the_classifier(path, *_ends(interpreter))
        self._path = path
        self._interpreter = interpreter
        details = interpreter.get_input_details()[0]
        self._in = int(details["index"])
        self._out = int(interpreter.get_output_details()[0]["index"])
        self._shape = tuple(int(size) for size in details["shape"])
        self._dtype = np.dtype(self.input.dtype)

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        try:
            if images.shape != self._shape or images.dtype != self._dtype:
                self._fit(images)
            self._interpreter.set_tensor(self._in, images)
            self._interpreter.invoke()
            outputs: NDArray[Any] = self._interpreter.get_tensor(self._out)
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{self._path} does not run ({first_line(error)}): {AGAIN}") from error
        if len(outputs) != len(images):
            raise ArtifactError(
                f"{self._path} gives {len(outputs)} rows for {len(images)} images: an operation in it keeps "
                "the batch that it was made for: convert it again with batch 1 or dynamic"
            )
        return outputs

    def _fit(self, images: NDArray[Any]) -> None:
        """Allocate for another batch size. Raises ArtifactError where the file does not allow it."""
        if reason := misfit(images, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        self._interpreter.resize_tensor_input(self._in, images.shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shape = images.shape


def _ends(interpreter: Interpreter) -> tuple[list[TensorSpec], list[TensorSpec]]:
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
