"""Operations that a defect puts into a TFLite file: before the network, and around a layer in float."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .files import Real, Weights

if TYPE_CHECKING:
    from .tflite import TfliteFile


def scale_image(file: TfliteFile, factor: Real, offset: Real) -> None:
    """MUL and ADD, as the preprocessing that exporters write out."""
    shape = [1, *file.image]
    source, first = _image(file)
    for op, values, options in (
        ("MUL", factor, schema.MulOptionsT()),
        ("ADD", offset, schema.AddOptionsT()),
    ):
        inputs = [source, file.constant(values.astype(np.float32), op.lower())]
        source = file.insert(op, inputs, shape, first, options)
    _lead_on(file, source)


def resize_image(file: TfliteFile, size: int, way: str, back: str) -> None:
    """Two resizes: to `size` and back."""
    height, width, channels = file.image
    source, first = _image(file)
    for method, to in ((way, (size, size)), (back, (height, width))):
        nearest = method == "nearest"
        options = schema.ResizeNearestNeighborOptionsT() if nearest else schema.ResizeBilinearOptionsT()
        options.halfPixelCenters = method in ("nearest", "bilinear")
        options.alignCorners = method == "corners"
        op = "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR"
        inputs = [source, file.constant(np.asarray(to, np.int32), "size")]
        source = file.insert(op, inputs, [1, *to, channels], first, options)
    _lead_on(file, source)


def leave_in_float(file: TfliteFile, operator: Any, weights: Weights) -> None:
    """DEQUANTIZE before and QUANTIZE behind a layer, whose constants become float."""
    tensors, operators = file.model.subgraphs[0].tensors, file.model.subgraphs[0].operators
    source, output = tensors[int(operator.inputs[0])], int(operator.outputs[0])
    real = file.tensor([int(s) for s in source.shape], "float32", "seeded_dequantize", None)
    at = operators.index(operator)
    file.insert_into("DEQUANTIZE", [int(operator.inputs[0])], real, at, schema.DequantizeOptionsT())
    shape = [int(s) for s in tensors[int(operator.inputs[1])].shape]
    kernel = file.constant(weights.kernel.reshape(shape).astype(np.float32), "kernel")
    bias = np.zeros(len(weights.kernel)) if weights.bias is None else weights.bias
    result = file.tensor([int(s) for s in tensors[output].shape], "float32", "seeded_float", None)
    operator.inputs = [real, kernel, file.constant(bias.astype(np.float32), "bias")]
    operator.outputs = [result]
    at = operators.index(operator) + 1
    file.insert_into("QUANTIZE", [result], output, at, schema.QuantizeOptionsT())


def _image(file: TfliteFile) -> tuple[int, Any]:
    """The input, and the operator before which new ones go."""
    subgraph = file.model.subgraphs[0]
    return int(subgraph.inputs[0]), subgraph.operators[0]


def _lead_on(file: TfliteFile, source: int) -> None:
    """Let everything that read the image, but what is new, read `source`."""
    subgraph = file.model.subgraphs[0]
    image = int(subgraph.inputs[0])
    first = next(n for n, o in enumerate(subgraph.operators) if int(o.outputs[0]) == source)
    for operator in subgraph.operators[first + 1 :]:
        operator.inputs = [source if int(i) == image else int(i) for i in operator.inputs]
