"""A file run as it is written: operation by operation, nothing fused, no delegate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line

Run = Callable[[NDArray[Any]], NDArray[Any]]
"""From images (1, H, W, C), as the input stores them, to outputs (1, classes), as the output does."""


def as_written(path: Path, shape: TensorSpec) -> Run:
    """Raises ArtifactError."""
    try:
        return (_tflite if path.suffix == ".tflite" else _onnx)(path, shape)
    except (RuntimeError, ValueError) as error:
        raise ArtifactError(
            f"{path.name} does not run operation by operation: {first_line(error)}"
        ) from error


def _tflite(path: Path, spec: TensorSpec) -> Run:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kernels)
    entry = interpreter.get_input_details()[0]["index"]
    if spec.shape[0] is None:
        interpreter.resize_tensor_input(entry, [1, *(size or 1 for size in spec.shape[1:])])
    interpreter.allocate_tensors()
    end = interpreter.get_output_details()[0]["index"]

    def run(image: NDArray[Any]) -> NDArray[Any]:
        interpreter.set_tensor(entry, image)
        interpreter.invoke()
        output: NDArray[Any] = interpreter.get_tensor(end)
        return output

    return run


def _onnx(path: Path, spec: TensorSpec) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ORT's exceptions share no base of their own
        raise RuntimeError(first_line(error)) from error
    return lambda image: np.asarray(session.run(None, {session.get_inputs()[0].name: image})[0])
