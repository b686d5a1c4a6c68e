"""ONNX files for seeding.files: Conv and Gemm with constants, quantized by QuantizeLinear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from . import onnx_operations
from .files import GoodFile, Grid, Layer, Real, Weights, Window, to_integers

BEHIND = ("Relu", "QuantizeLinear", "Clip", "DequantizeLinear", "Cast", "Identity")
"""Operations that give a layer's result on, clamped or in another type."""
PASSES_ON = {"MaxPool", "Reshape", "Pad", "Concat", "Resize"}
MODES = {
    "nearest": ("nearest", "half_pixel"),
    "bilinear": ("linear", "half_pixel"),
    "corners": ("linear", "align_corners"),
    "asymmetric": ("linear", "asymmetric"),
}
"""Mode and coordinate_transformation_mode of Resize."""


class OnnxFile(GoodFile):
    """An `.onnx` file that takes NHWC and computes in NCHW."""

    suffix = ".onnx"

    def __init__(self, path: Path, scheme: str) -> None:
        super().__init__(path, scheme)
        self.model = onnx.load(str(path))
        self._graph = self.model.graph
        self.constants = {c.name: numpy_helper.to_array(c) for c in self._graph.initializer}
        self._shapes = _shapes(self.model)
        self._makers = {output: n for n in self._graph.node for output in n.output}
        self.nodes = list(self._graph.node)
        self._nodes = [n for n in self._graph.node if n.op_type in ("Conv", "Gemm")]
        self.layers = tuple(self._layer(number, node) for number, node in enumerate(self._nodes))
        image = self._shapes[self._graph.input[0].name]
        self.image = (image[1], image[2], image[3])
        self.ends = (self._graph.input[0].name, self._graph.output[0].name)

    # -- reading ---------------------------------------------------------------------------

    def _layer(self, number: int, node: onnx.NodeProto) -> Layer:
        chain = self._behind(node)
        grid = None
        for one in chain:
            if one.op_type == "QuantizeLinear":
                grid = Grid(float(self.constants[one.input[1]]), int(self.constants[one.input[2]]), 0, 255)
        clamps = any(one.op_type in ("Relu", "Clip") for one in chain)
        relu = clamps or (grid is not None and grid.starts_at_zero)
        names = (node.output[0], *(one.output[0] for one in chain))
        own = not any(n.op_type in PASSES_ON for n in self.readers(names[-1]))
        return Layer(number, node.output[0], names, relu, self._window(node), grid, own)

    def _behind(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        chain: list[onnx.NodeProto] = []
        name = node.output[0]
        while len(readers := self.readers(name)) == 1 and readers[0].op_type in BEHIND:
            chain.append(readers[0])
            name = readers[0].output[0]
        return chain

    def readers(self, name: str) -> list[onnx.NodeProto]:
        return [n for n in self._graph.node if name in n.input]

    def maker(self, name: str) -> onnx.NodeProto | None:
        """The node that gives a value, none for constants and the input."""
        return self._makers.get(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a value, empty where shape inference does not know it."""
        return self._shapes.get(name, ())

    def dtype(self, name: str) -> Any:
        """numpy's type of a value, float32 where inference does not know it."""
        return onnx_operations.types_of(self.model).get(name, np.float32)

    def _window(self, node: onnx.NodeProto) -> Window | None:
        if node.op_type != "Conv":
            return None
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        _, _, *size = self._shapes[node.input[0]]
        _, _, *result = self._shapes[node.output[0]]
        *_, height, width = self._real(node.input[1])[0].shape
        kernel, strides = attributes.get("kernel_shape", (height, width)), attributes.get("strides", (1, 1))
        pairs = (size, kernel, strides, result, self._pads(node, attributes))
        return Window(*((int(a), int(b)) for a, b in pairs))

    def _pads(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> tuple[int, int]:
        """Above and left."""
        if attributes.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID"):
            above, left, *_ = attributes.get("pads", (0, 0))
            return above, left
        # Our exporter writes numbers; past another spelling a defect would not be what it says.
        raise NotImplementedError(f"{node.name} pads by {attributes['auto_pad']}")

    def weights(self, layer: Layer) -> Weights:
        node = self._nodes[layer.ordinal]
        kernel, scale = self._real(node.input[1])
        bias = self._real(node.input[2])[0] if len(node.input) > 2 else None
        return Weights(_canonical(node, kernel), bias, scale)

    def _real(self, name: str) -> tuple[Real, Real | None]:
        """The numbers of a constant, and its scale where it stands behind a DequantizeLinear."""
        if name in self.constants:
            return self.constants[name].astype(np.float64), None
        source = self._makers[name]
        stored = self.constants[source.input[0]].astype(np.float64)
        scale = self.constants[source.input[1]].astype(np.float64)
        if not scale.ndim:
            return stored * scale, np.atleast_1d(scale)
        axis = next((a.i for a in source.attribute if a.name == "axis"), 1)
        return stored * scale.reshape([-1 if a == axis else 1 for a in range(stored.ndim)]), scale

    # -- weights ---------------------------------------------------------------------------

    def put(self, layer: Layer, weights: Weights) -> None:
        node, before = self._nodes[layer.ordinal], self.weights(layer)
        if weights.scale is None:
            self._replace(node, 1, _native(node, weights.kernel), None)
        else:
            scale = np.broadcast_to(weights.scale, len(weights.kernel))
            stored = to_integers(weights.kernel, scale, "int8", -127)
            self._replace(node, 1, _native(node, stored), scale)
        if weights.bias is None or before.bias is None:
            return
        ratio = 1.0 if weights.scale is None or before.scale is None else weights.scale / before.scale
        self._put_bias(node, weights.bias, ratio)

    def _put_bias(self, node: onnx.NodeProto, bias: Real, ratio: Any) -> None:
        """`ratio`: by what the scale of the sums has grown."""
        _, scale = self._real(node.input[2])
        if scale is None:
            self._replace(node, 2, bias, None)
            return
        scale = np.broadcast_to(scale * ratio, len(bias))
        self._replace(node, 2, to_integers(bias, scale, "int32"), scale)

    def _replace(self, node: onnx.NodeProto, position: int, stored: NDArray[Any], scale: Any) -> None:
        name = node.input[position]
        if scale is None:
            node.input[position] = self.constant(stored.astype(self.constants[name].dtype), name)
            return
        source = self._makers[name]
        flat = not self.constants[source.input[1]].ndim and np.ptp(scale) == 0
        source.input[0] = self.constant(stored, source.input[0])
        source.input[1] = self.constant(np.asarray(scale[0] if flat else scale, np.float32), source.input[1])
        if not flat and not self.constants[source.input[2]].ndim:
            raise NotImplementedError(f"{name}: one scale for all channels cannot become many")

    def constant(self, values: NDArray[Any], like: str) -> str:
        """A new constant, since an old one may have other readers."""
        name = f"{like}_seeded_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        self.constants[name] = np.asarray(values)
        return name

    # -- grids and windows -----------------------------------------------------------------

    def put_grid(self, layer: Layer, scale: float, zero_point: int, *, consistent: bool) -> None:
        chain = self._behind(self._nodes[layer.ordinal])
        for one in chain:
            if one.op_type == "DequantizeLinear" or (consistent and one.op_type == "QuantizeLinear"):
                one.input[1] = self.constant(np.asarray(scale, np.float32), one.input[1])
                one.input[2] = self.constant(np.asarray(zero_point, np.uint8), one.input[2])
        assert layer.grid is not None  # only asked where there is one
        for reader in self._nodes if consistent else ():
            if reader.input[0] == layer.names[-1] and len(reader.input) > 2:
                self._put_bias(reader, self._real(reader.input[2])[0], scale / layer.grid.scale)

    def set_relu(self, layer: Layer, on: bool) -> None:
        node = self._nodes[layer.ordinal]
        if on:
            self.lead_on(node.output[0], self.insert("Relu", [node.output[0]], behind=node))
            return
        for one in self._behind(node):
            if one.op_type in ("Relu", "Clip"):
                self.lead_on(one.output[0], one.input[0])
                self._graph.node.remove(one)

    def move_window(self, layer: Layer, down: int, right: int) -> None:
        assert layer.window is not None  # only asked of convolutions
        node = self._nodes[layer.ordinal]
        (cut_y, *pad_y), (cut_x, *pad_x) = layer.window.moved(down, right)
        if cut_y or cut_x:
            numbers = ((cut_y, cut_x), layer.window.size, (2, 3))
            inputs = [self.constant(np.asarray(n, np.int64), "slice") for n in numbers]
            node.input[0] = self.insert("Slice", [node.input[0], *inputs], before=node)
        kept = [a for a in node.attribute if a.name not in ("pads", "auto_pad")]
        del node.attribute[:]
        pads = helper.make_attribute("pads", [pad_y[0], pad_x[0], pad_y[1], pad_x[1]])
        node.attribute.extend([*kept, pads])

    # -- borders ---------------------------------------------------------------------------

    def scale_image(self, factor: Real, offset: Real) -> None:
        first = self._graph.node[0]
        image = self.ends[0]
        by, plus = (self.constant(values.astype(np.float32), "image") for values in (factor, offset))
        product = self.insert("Mul", [image, by], before=first)
        self.lead_on(image, self.insert("Add", [product, plus], before=first), product)

    def resize_image(self, size: int, way: str, back: str) -> None:
        first, image = self._graph.node[0], self.ends[0]
        height, width, channels = self.image
        entered = value = self.insert("Transpose", [image], before=first, perm=(0, 3, 1, 2))
        for method, to in ((way, (size, size)), (back, (height, width))):
            mode, coordinates = MODES[method]
            sizes = self.constant(np.asarray([1, channels, *to], np.int64), "sizes")
            attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
            value = self.insert("Resize", [value, "", "", sizes], before=first, **attributes)
        value = self.insert("Transpose", [value], before=first, perm=(0, 2, 3, 1))
        self.lead_on(image, value, entered)

    def leave_in_float(self, layer: Layer) -> None:
        node = self._nodes[layer.ordinal]
        for position in range(1, len(node.input)):
            real = self._real(node.input[position])[0].astype(np.float32)
            node.input[position] = self.constant(real, node.input[position])

    # -- other operations ------------------------------------------------------------------

    def operations(self, name: str) -> Sequence[Layer]:
        return onnx_operations.operations(self, name)

    def lose_branch(self, layer: Layer, branch: int) -> None:
        onnx_operations.lose_branch(self, layer, branch)

    def turn_softmax(self, layer: Layer) -> None:
        onnx_operations.turn_softmax(self, layer)

    def count_padding(self, layer: Layer) -> None:
        onnx_operations.count_padding(self, layer)

    def resize_by_nearest(self, layer: Layer) -> None:
        onnx_operations.resize_by_nearest(self, layer)

    def scale_constant(self, layer: Layer, factor: float) -> None:
        onnx_operations.scale_constant(self, layer, factor)

    def roll_constant(self, layer: Layer, by: int) -> None:
        onnx_operations.roll_constant(self, layer, by)

    def set_constant(self, layer: Layer, value: float) -> float:
        return onnx_operations.set_constant(self, layer, value)

    def take_size(self, size: int) -> None:
        onnx_operations.take_size(self, size)

    # -- nodes -----------------------------------------------------------------------------

    def insert(
        self, op: str, inputs: list[str], before: Any = None, behind: Any = None, **attributes: Any
    ) -> str:
        """A new node before or behind another; the name of its output."""
        name = f"seeded_{op}_{len(self.added)}"
        at = list(self._graph.node).index(before or behind) + (behind is not None)
        self._graph.node.insert(at, helper.make_node(op, inputs, [name], name=name, **attributes))
        self.added.append(name)
        return name

    def lead_on(self, old: str, new: str, by: str = "") -> None:
        """Let everything that read `old` read `new`, but the nodes that make `new` of it, the first of
        which makes `by`."""
        for node in self._graph.node:
            if not {new, by}.intersection(node.output):
                node.input[:] = [new if name == old else name for name in node.input]

    def save(self, out: Path) -> None:
        used = {name for node in self._graph.node for name in node.input}
        kept = [c for c in self._graph.initializer if c.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)
        del self._graph.value_info[:]
        onnx.save(self.model, str(out))


def _canonical(node: onnx.NodeProto, kernel: Real) -> Real:
    """(O, I, H, W) of Conv, (I, O) of Gemm or (O, I) of Gemm with transB as (O, H, W, I)."""
    if node.op_type == "Conv":
        return kernel.transpose(0, 2, 3, 1)
    return (kernel if _transposed(node) else kernel.T)[:, None, None, :]


def _native(node: onnx.NodeProto, kernel: NDArray[Any]) -> NDArray[Any]:
    if node.op_type == "Conv":
        return kernel.transpose(0, 3, 1, 2)
    return kernel[:, 0, 0, :] if _transposed(node) else kernel[:, 0, 0, :].T


def _transposed(node: onnx.NodeProto) -> bool:
    return any(a.name == "transB" and a.i for a in node.attribute)


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}
