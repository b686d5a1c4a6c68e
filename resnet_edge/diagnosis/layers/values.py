"""What every tensor of a file holds when an image goes through it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.diagnosis.layers.onnx_halves import without_halves
from resnet_edge.diagnosis.layers.onnx_steps import real_model
from resnet_edge.diagnosis.layers.steps import OpenedSteps
from resnet_edge.diagnosis.layers.tflite_dynamic import without_dynamic_scales
from resnet_edge.diagnosis.layers.tflite_steps import tensor_names
from resnet_edge.graph.model import Tensor, graph_of, load_model, packed
from resnet_edge.graph.quantization.calibrate import keeping_all_tensors

Values = dict[str, NDArray[np.float32]]
Run = Callable[[NDArray[Any]], Values]
"""From an image (H, W, C) to the activations by name, with their batch of one, as real numbers."""


def tflite_run(path: Path, opened: OpenedSteps, wanted: Collection[str]) -> Run:
    """Raises ArtifactError, now or when it is run."""
    model = load_model(path)
    graph = graph_of(model)
    names = tensor_names(graph)
    index = {n: i for i, n in enumerate(names) if n in wanted and _is_real(graph.tensors[i])}
    specs = {name: graph.specs((number,))[0] for name, number in index.items()}
    (entry,) = graph.specs(graph.inputs)
    try:
        real = without_dynamic_scales(model)
        interpreter = keeping_all_tensors(path if real is model else bytes(packed(real)), 1)
    except (RuntimeError, ValueError) as error:
        raise ArtifactError(f"LiteRT does not open {path.name}: {first_line(error)}") from error

    def run(image: NDArray[Any]) -> Values:
        given = image[None].astype(np.float32)
        try:
            stored = quantize(given, entry) if entry.quantization is not None else given.astype(entry.dtype)
            interpreter.set_tensor(graph.inputs[0], np.ascontiguousarray(stored))
            interpreter.invoke()
            return {n: dequantize(interpreter.get_tensor(index[n]), specs[n]) for n in index}
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(f"LiteRT does not run {path.name}: {first_line(error)}") from error

    return run


def _is_real(tensor: Tensor) -> bool:
    """Whether it is an activation that holds real numbers, and not a shape or an index."""
    return tensor.data is None and (tensor.dtype.startswith("float") or tensor.quantization is not None)


def onnx_run(path: Path, opened: OpenedSteps, wanted: Collection[str]) -> Run:
    """Raises ArtifactError, now or when it is run. An NCHW input gets the image transposed."""
    import onnxruntime as ort

    model = without_halves(real_model(path))
    names = [name for step in opened.steps for name in step.gives if name in wanted]
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    options = ort.SessionOptions()
    # Fused operators would not show what is between them.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ORT's exceptions share no base of their own
        raise ArtifactError(f"ONNX Runtime does not open {path.name}: {first_line(error)}") from error
    entry = session.get_inputs()[0]
    dtype: np.dtype[Any] = ENTRY_TYPES.get(entry.type, np.dtype(np.float32))

    def run(image: NDArray[Any]) -> Values:
        fed = image.transpose(2, 0, 1) if _channels_first(entry.shape, image.shape) else image
        try:
            outputs = session.run(names, {entry.name: fed[None].astype(dtype)})
        except Exception as error:  # as above
            raise ArtifactError(f"ONNX Runtime does not run {path.name}: {first_line(error)}") from error
        seen = {name: _real(value, name, opened) for name, value in zip(names, outputs, strict=True)}
        return {entry.name: fed[None].astype(np.float32)} | seen

    return run


ENTRY_TYPES: dict[str, np.dtype[Any]] = {
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(int8)": np.dtype(np.int8),
}


def _channels_first(declared: list[Any], image: tuple[int, ...]) -> bool:
    height, width, channels = image
    return declared[1:] == [channels, height, width] != [height, width, channels]


def _real(value: NDArray[Any], name: str, opened: OpenedSteps) -> NDArray[np.float32]:
    grid, stored = opened.grids.get(name), np.asarray(value)
    if grid is None or stored.dtype.kind not in "iu":
        return stored.astype(np.float32)
    steps = stored.astype(np.float64) - np.iinfo(stored.dtype).min
    return np.asarray(grid.low + steps * grid.step, np.float32)
