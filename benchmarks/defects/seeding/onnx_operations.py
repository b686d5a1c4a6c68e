"""Operations of an ONNX file that seeding/structure.py breaks: found by name, and changed in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper

from .files import Layer

if TYPE_CHECKING:
    from .onnx_file import OnnxFile

GIVES_ON = ("Relu", "QuantizeLinear", "Clip", "DequantizeLinear", "Cast", "Identity", "Transpose")
NORMALIZES = 5
"""Root, reciprocal, factor, product, sum."""


def operations(file: OnnxFile, name: str) -> Sequence[Layer]:
    """Their numbers are places in the order of the file as it was opened."""
    op, holds = KNOWN[name]
    numbers = [n for n, node in enumerate(file.nodes) if node.op_type == op and holds(file, node)]
    return [_layer(file, number, normalizes=name == "epsilon") for number in numbers]


def _layer(file: OnnxFile, number: int, *, normalizes: bool) -> Layer:
    """A normalization is some steps from its epsilon to what it gives."""
    names = [file.nodes[number].output[0]]
    for _ in range(NORMALIZES if normalizes else 0):
        names += [n.output[0] for name in names for n in file.readers(name) if n.output[0] not in names]
    while len(readers := file.readers(names[-1])) == 1 and readers[0].op_type in GIVES_ON:
        names.append(readers[0].output[0])
    return Layer(number, names[0], tuple(names), False, None, None, False)


def _joins(file: OnnxFile, node: onnx.NodeProto) -> bool:
    a, b = node.input
    return not (_is_constant(file, a) or _is_constant(file, b)) and file.shape(a) == file.shape(b)


def _is_constant(file: OnnxFile, name: str) -> bool:
    """Itself, or what stands before a DequantizeLinear or Cast."""
    maker = file.maker(name)
    if name in file.constants or maker is None:
        return name in file.constants
    return maker.op_type in ("DequantizeLinear", "Cast") and _is_constant(file, maker.input[0])


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _is_padded(file: OnnxFile, node: onnx.NodeProto) -> bool:
    attributes = _attributes(node)
    same = attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER")
    return not attributes.get("count_include_pad") and (same or any(attributes.get("pads", ())))


def _is_linear(file: OnnxFile, node: onnx.NodeProto) -> bool:
    return bool(_attributes(node).get("mode") == b"linear")


def _under_root(file: OnnxFile, node: onnx.NodeProto) -> bool:
    return any(n.op_type == "Sqrt" for n in file.readers(node.output[0])) and _epsilon(file, node) is not None


def _epsilon(file: OnnxFile, node: onnx.NodeProto) -> int | None:
    for position, name in enumerate(node.input):
        if name in file.constants and file.constants[name].size == 1:
            return position
    return None


def _any(file: OnnxFile, node: onnx.NodeProto) -> bool:
    return True


KNOWN: dict[str, tuple[str, Callable[[OnnxFile, onnx.NodeProto], bool]]] = {
    "add": ("Add", _joins),
    "softmax": ("Softmax", _any),
    "padded_pool": ("AveragePool", _is_padded),
    "resize": ("Resize", _is_linear),
    "transposed": ("ConvTranspose", _any),
    "prelu": ("PRelu", _any),
    "epsilon": ("Add", _under_root),
}


def _set(node: onnx.NodeProto, name: str, value: Any) -> None:
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def lose_branch(file: OnnxFile, layer: Layer, branch: int) -> None:
    node = file.nodes[layer.ordinal]
    name = node.input[branch]
    file.added.append(name)  # what is lost may be named as well
    node.input[branch] = file.constant(np.zeros(file.shape(name), file.dtype(name)), "zeros")


def turn_softmax(file: OnnxFile, layer: Layer) -> None:
    _set(file.nodes[layer.ordinal], "axis", 0)


def count_padding(file: OnnxFile, layer: Layer) -> None:
    _set(file.nodes[layer.ordinal], "count_include_pad", 1)


def resize_by_nearest(file: OnnxFile, layer: Layer) -> None:
    _set(file.nodes[layer.ordinal], "mode", "nearest")


def scale_constant(file: OnnxFile, layer: Layer, factor: float) -> None:
    """Of integers the scale."""
    reader, position, integers = _place(file, layer)
    at = position + 1 if integers else position
    values = file.constants[reader.input[at]]
    reader.input[at] = file.constant((values * factor).astype(values.dtype), "scaled")


def roll_constant(file: OnnxFile, layer: Layer, by: int) -> None:
    """Along the only axis that has more than one number: the channels."""
    reader, position, _ = _place(file, layer)
    values = file.constants[reader.input[position]]
    reader.input[position] = file.constant(np.roll(values.reshape(-1), by).reshape(values.shape), "rolled")


def _place(file: OnnxFile, layer: Layer) -> tuple[onnx.NodeProto, int, bool]:
    """Who reads the constant at the second input, where, and whether a scale follows it."""
    node = file.nodes[layer.ordinal]
    position, integers = 1, False
    while node.input[position] not in file.constants:
        maker = file.maker(node.input[position])
        assert maker is not None  # kernels and slopes are constants in these files
        integers = integers or maker.op_type == "DequantizeLinear"
        node, position = maker, 0
    return node, position, integers


def set_constant(file: OnnxFile, layer: Layer, value: float) -> float:
    node = file.nodes[layer.ordinal]
    position = _epsilon(file, node)
    assert position is not None  # `epsilon` found it
    before = file.constants[node.input[position]]
    node.input[position] = file.constant(np.full(before.shape, value, before.dtype), "epsilon")
    return float(before.reshape(-1)[0])


def take_size(file: OnnxFile, size: int) -> None:
    graph, (height, width, channels) = file.model.graph, file.image
    image, first = graph.input[0].name, graph.node[0]
    entered = file.insert("Transpose", [image], before=first, perm=(0, 3, 1, 2))
    sizes = file.constant(np.asarray([1, channels, height, width], np.int64), "sizes")
    attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    value = file.insert("Resize", [entered, "", "", sizes], before=first, **attributes)
    file.lead_on(image, file.insert("Transpose", [value], before=first, perm=(0, 2, 3, 1)), entered)
    for dimension, to in zip(graph.input[0].type.tensor_type.shape.dim[1:3], (size, size), strict=True):
        dimension.dim_value = to


def types_of(model: onnx.ModelProto) -> dict[str, Any]:
    """The element type of each value that shape inference knows, as numpy has it."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {v.name: helper.tensor_dtype_to_np_dtype(v.type.tensor_type.elem_type) for v in values}
