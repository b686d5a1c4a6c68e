"""Operations of a TFLite file that seeding/structure.py breaks: found by name, and changed in place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.interface import opcode_of
from resnet_edge.graph.model import DTYPES, Node

from .files import Layer

if TYPE_CHECKING:
    from .tflite import TfliteFile

SAME, VALID = 0, 1
GIVES_ON = ("DEQUANTIZE", "QUANTIZE", "RELU")
NORMALIZES = 4
"""Root, factor, product, sum."""


def operations(file: TfliteFile, name: str) -> Sequence[Layer]:
    """Their numbers are places in the order of the file as it was opened."""
    op, holds = KNOWN[name]
    numbers = [n for n, (node, _) in enumerate(file.pairs) if node.op == op and holds(file, node)]
    return [_layer(file, number, NORMALIZES if name == "epsilon" else 1) for number in numbers]


def _layer(file: TfliteFile, number: int, steps: int) -> Layer:
    """One operation gives a result on; a normalization is some steps from its epsilon to what it gives."""
    names = [file.pairs[number][0].outputs[0]]
    for _ in range(steps):
        after = [n for n, _ in file.pairs if set(names) & set(n.inputs) and (steps > 1 or n.op in GIVES_ON)]
        names = list(dict.fromkeys((*names, *(n.outputs[0] for n in after))))
    tensors = tuple(file.graph.tensors[i].name for i in names)
    return Layer(number, tensors[0], tensors, False, None, None, False)


def _joins(file: TfliteFile, node: Node) -> bool:
    """Two results of one shape, and not a sum that fetches a constant of its own."""
    a, b = (file.graph.tensors[i] for i in node.inputs[:2])
    return a.shape == b.shape and not any(_is_constant(file, i) for i in node.inputs[:2])


def _is_constant(file: TfliteFile, index: int) -> bool:
    if file.graph.tensors[index].data is not None:
        return True
    makers = [n for n, _ in file.pairs if index in n.outputs]
    return bool(makers) and makers[0].op == "DEQUANTIZE" and _is_constant(file, makers[0].inputs[0])


def _pads(file: TfliteFile, node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of padding before and behind."""
    o = node.options
    (_, h, w, _), (_, rows, columns, _) = (
        tuple(int(s or 0) for s in file.graph.tensors[i].shape) for i in (node.inputs[0], node.outputs[0])
    )
    padding = []
    for size, result, stride, window in (
        (h, rows, o["strideH"], o["filterHeight"]),
        (w, columns, o["strideW"], o["filterWidth"]),
    ):
        whole = max(0, (result - 1) * stride + window - size) if o["padding"] == SAME else 0
        padding.append((whole // 2, whole - whole // 2))
    return padding[0], padding[1]


def _is_padded(file: TfliteFile, node: Node) -> bool:
    return any(sum(pair) for pair in _pads(file, node))


def _under_root(file: TfliteFile, node: Node) -> bool:
    readers = [n for n, _ in file.pairs if node.outputs[0] in n.inputs]
    return any(n.op in ("RSQRT", "SQRT") for n in readers) and _epsilon(file, node) is not None


def _epsilon(file: TfliteFile, node: Node) -> int | None:
    """The position of the one number that is added, in float."""
    for position, index in enumerate(node.inputs):
        data = file.graph.tensors[index].data
        if data is not None and data.size == 1 and data.dtype == np.float32:
            return position
    return None


def _any(file: TfliteFile, node: Node) -> bool:
    return True


KNOWN: dict[str, tuple[str, Callable[[TfliteFile, Node], bool]]] = {
    "add": ("ADD", _joins),
    "softmax": ("SOFTMAX", _any),
    "padded_pool": ("AVERAGE_POOL_2D", _is_padded),
    "resize": ("RESIZE_BILINEAR", _any),
    "transposed": ("TRANSPOSE_CONV", _any),
    "prelu": ("PRELU", _any),
    "epsilon": ("ADD", _under_root),
}


def _put(operator: Any, position: int, index: int) -> None:
    """Inputs come as an array: a new one is given."""
    inputs = [int(i) for i in operator.inputs]
    inputs[position] = index
    operator.inputs = inputs


def lose_branch(file: TfliteFile, layer: Layer, branch: int) -> None:
    node, operator = file.pairs[layer.ordinal]
    like = file.graph.tensors[node.inputs[branch]]
    file.added.append(like.name)  # what is lost may be named as well
    zero = like.quantization.zero_point[0] if like.quantization is not None else 0
    shape = [int(s or 0) for s in like.shape]
    index = file.constant(np.full(shape, zero, like.dtype), "zeros")
    tensors = file.model.subgraphs[0].tensors
    tensors[index].quantization = tensors[node.inputs[branch]].quantization
    _put(operator, branch, index)


def turn_softmax(file: TfliteFile, layer: Layer) -> None:
    """TFLite's softmax runs over the last axis: the classes become rows of one number each."""
    node, operator = file.pairs[layer.ordinal]
    tensors = file.model.subgraphs[0].tensors
    output = tensors[node.outputs[0]]
    classes = int(output.shape[-1])
    column = file.constant(np.asarray([classes, 1], np.int32), "column")
    options = schema.ReshapeOptionsT()
    options.newShape = [classes, 1]
    source = file.insert("RESHAPE", [int(operator.inputs[0]), column], [classes, 1], operator, options)
    _put(operator, 0, source)
    scores = file.tensor([classes, 1], DTYPES[output.type], "seeded_softmax", output.quantization)
    operator.outputs = [scores]
    file.added.append(tensors[scores].name.decode())  # its result is named so now
    row = file.constant(np.asarray([1, classes], np.int32), "row")
    back = schema.ReshapeOptionsT()
    back.newShape = [1, classes]
    at = file.model.subgraphs[0].operators.index(operator) + 1
    file.insert_into("RESHAPE", [scores, row], node.outputs[0], at, back)


def count_padding(file: TfliteFile, layer: Layer) -> None:
    node, operator = file.pairs[layer.ordinal]
    rows, columns = _pads(file, node)
    source = file.model.subgraphs[0].tensors[node.inputs[0]]
    _, h, w, c = (int(s) for s in source.shape)
    pads = file.constant(np.asarray([[0, 0], rows, columns, [0, 0]], np.int32), "paddings")
    shape = [1, h + sum(rows), w + sum(columns), c]
    _put(operator, 0, file.insert("PAD", [node.inputs[0], pads], shape, operator, schema.PadOptionsT()))
    operator.builtinOptions.padding = VALID


def resize_by_nearest(file: TfliteFile, layer: Layer) -> None:
    _, operator = file.pairs[layer.ordinal]
    old, options = operator.builtinOptions, schema.ResizeNearestNeighborOptionsT()
    options.alignCorners, options.halfPixelCenters = old.alignCorners, old.halfPixelCenters
    operator.opcodeIndex = opcode_of(file.model, schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR)
    operator.builtinOptionsType = schema.BuiltinOptions.ResizeNearestNeighborOptions
    operator.builtinOptions = options


def scale_constant(file: TfliteFile, layer: Layer, factor: float) -> None:
    """Of integers the scale."""

    def change(stored: Any, tensor: Any) -> Any:
        scales = tensor.quantization.scale if tensor.quantization is not None else None
        if scales is None or len(scales) == 0:
            return (stored * factor).astype(stored.dtype)
        tensor.quantization.scale = np.asarray(scales, np.float32) * np.float32(factor)
        return stored

    _change(file, layer, change)


def roll_constant(file: TfliteFile, layer: Layer, by: int) -> None:
    _change(file, layer, lambda stored, _: np.roll(stored, by, axis=-1))


def _change(file: TfliteFile, layer: Layer, change: Callable[[Any, Any], Any]) -> None:
    """The constant at the second input, which becomes a tensor of its own."""
    node, operator = file.pairs[layer.ordinal]
    index = node.inputs[1]
    maker = next((o for n, o in file.pairs if index in n.outputs), None)
    reader, position = (operator, 1) if maker is None else (maker, 0)  # float16 stands behind a DEQUANTIZE
    index = index if maker is None else int(maker.inputs[0])
    data = file.graph.tensors[index].data
    assert data is not None  # kernels and slopes are constants in these files
    tensors = file.model.subgraphs[0].tensors
    own = file.constant(data, "changed")
    tensors[own].quantization = copy.deepcopy(tensors[index].quantization)
    stored = change(np.asarray(data), tensors[own])
    tensors[own].buffer = file.buffer(stored)
    _put(reader, position, own)


def set_constant(file: TfliteFile, layer: Layer, value: float) -> float:
    node, operator = file.pairs[layer.ordinal]
    position = _epsilon(file, node)
    assert position is not None  # `epsilon` found it
    data = file.graph.tensors[node.inputs[position]].data
    assert data is not None
    _put(operator, position, file.constant(np.full(data.shape, value, np.float32), "epsilon"))
    return float(data.reshape(-1)[0])


def take_size(file: TfliteFile, size: int) -> None:
    from .tflite_border import _image, _lead_on

    source, first = _image(file)
    height, width, channels = file.image
    sizes = file.constant(np.asarray([height, width], np.int32), "size")
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    _lead_on(
        file, file.insert("RESIZE_BILINEAR", [source, sizes], [1, height, width, channels], first, options)
    )
    tensor = file.model.subgraphs[0].tensors[source]
    tensor.shape = np.asarray([1, size, size, channels], np.int32)
    if tensor.shapeSignature is not None:
        tensor.shapeSignature = np.asarray([-1, size, size, channels], np.int32)
