"""TFLite files for seeding.files: schema tables are changed in place (graph/model.py)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.graph.interface import opcode_of
from resnet_edge.graph.model import ABSENT, DTYPES, Graph, Node, graph_of, load_model, save_model

from . import tflite_operations
from .files import GoodFile, Grid, Layer, Real, Weights, Window, to_integers

SAME, VALID = 0, 1
RELU = 1
TYPES = {name: number for number, name in DTYPES.items()}
POOLS, RESIZES = {"MAX_POOL_2D", "AVERAGE_POOL_2D"}, {"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"}
PASSES_ON = {"RESHAPE", "PAD", "CONCATENATION", *POOLS, *RESIZES}
"""Operations whose result must have the grid of what they take."""


class TfliteFile(GoodFile):
    """A `.tflite` file of one subgraph with float32 ends."""

    suffix = ".tflite"

    def __init__(self, path: Path, scheme: str) -> None:
        super().__init__(path, scheme)
        self.model = load_model(path)
        self.graph: Graph = graph_of(self.model)
        self._sub = self.model.subgraphs[0]
        # Operators are moved when others are put before them: the objects stay what they are.
        self.pairs = list(zip(self.graph.nodes, self._sub.operators, strict=True))
        weighted = [(n, o) for n, o in self.pairs if n.op in ("CONV_2D", "FULLY_CONNECTED")]
        self._nodes = [node for node, _ in weighted]
        self._operators = [operator for _, operator in weighted]
        self.layers = tuple(self._layer(number, node) for number, node in enumerate(self._nodes))
        tensors = self.graph.tensors
        shape = tensors[self.graph.inputs[0]].shape
        self.image = (shape[1] or 0, shape[2] or 0, shape[3] or 0)
        self.ends = (tensors[self.graph.inputs[0]].name, tensors[self.graph.outputs[0]].name)

    def _layer(self, number: int, node: Node) -> Layer:
        tensor = self.graph.tensors[node.outputs[0]]
        readers = [n for n in self.graph.nodes if node.outputs[0] in n.inputs]
        after = [n for n in readers if n.op == "DEQUANTIZE"]
        names = (tensor.name, *(self.graph.tensors[n.outputs[0]].name for n in after))
        grid, q = None, tensor.quantization
        if q is not None and tensor.dtype in ("int8", "int16"):
            info = np.iinfo(tensor.dtype)
            grid = Grid(q.scale[0], q.zero_point[0], int(info.min), int(info.max))
        relu = node.options["fusedActivationFunction"] == RELU
        own = not any(n.op in PASSES_ON for n in readers)
        return Layer(number, tensor.name, names, relu, self._window(node), grid, own)

    def _window(self, node: Node) -> Window | None:
        if node.op != "CONV_2D":
            return None
        tensors, o = self.graph.tensors, node.options
        size, kernel, result = (
            tuple(int(s or 0) for s in tensors[i].shape[1:3])
            for i in (node.inputs[0], node.inputs[1], node.outputs[0])
        )
        strides = (o["strideH"], o["strideW"])
        before = tuple(
            max(0, (r - 1) * s + k - n) // 2 if o["padding"] == SAME else 0
            for n, k, s, r in zip(size, kernel, strides, result, strict=True)
        )
        return Window(size, kernel, strides, result, before)  # type: ignore[arg-type]  # pairs all

    # -- weights ---------------------------------------------------------------------------

    def weights(self, layer: Layer) -> Weights:
        node = self._nodes[layer.ordinal]
        tensor = self.graph.tensors[self._stored(node.inputs[1])]
        assert tensor.data is not None  # the kernels of these files are constants
        kernel = tensor.data.astype(np.float64)
        kernel = kernel if kernel.ndim == 4 else kernel[:, None, None, :]
        scale = None
        if tensor.quantization is not None:
            scale = np.broadcast_to(np.asarray(tensor.quantization.scale), len(kernel)).astype(np.float64)
            kernel = kernel * scale[:, None, None, None]
        return Weights(kernel, self._bias(node), scale)

    def _bias(self, node: Node) -> Real | None:
        if len(node.inputs) < 3 or node.inputs[2] == ABSENT:
            return None
        tensor = self.graph.tensors[self._stored(node.inputs[2])]
        assert tensor.data is not None
        bias = tensor.data.astype(np.float64)
        return bias if tensor.quantization is None else bias * np.asarray(tensor.quantization.scale)

    def _stored(self, index: int) -> int:
        """The constant behind the DEQUANTIZE of a float16 one, or the tensor itself."""
        if self.graph.tensors[index].data is not None:
            return index
        return next(n.inputs[0] for n in self.graph.nodes if n.outputs[0] == index)

    def put(self, layer: Layer, weights: Weights) -> None:
        node, before = self._nodes[layer.ordinal], self.weights(layer)
        index = self._stored(node.inputs[1])
        tensor = self.graph.tensors[index]
        shape = [int(s or 0) for s in tensor.shape]
        if weights.scale is None:
            self._replace(layer, 1, weights.kernel.reshape(shape).astype(tensor.dtype), None)
        else:
            stored = to_integers(weights.kernel, weights.scale, tensor.dtype, -127)
            self._replace(layer, 1, stored.reshape(shape), weights.scale)
        if weights.bias is None or before.bias is None:
            return
        ratio = 1.0 if weights.scale is None or before.scale is None else weights.scale / before.scale
        self._put_bias(layer, weights.bias, ratio)

    def _put_bias(self, layer: Layer, bias: Real, ratio: Any) -> None:
        """`ratio`: by what the scale of the sums has grown."""
        tensor = self.graph.tensors[self._stored(self._nodes[layer.ordinal].inputs[2])]
        if tensor.quantization is None:
            self._replace(layer, 2, bias.astype(tensor.dtype), None)
            return
        scale = np.broadcast_to(np.asarray(tensor.quantization.scale) * ratio, len(bias)).astype(np.float64)
        self._replace(layer, 2, to_integers(bias, scale, tensor.dtype), scale)

    def _replace(self, layer: Layer, position: int, stored: NDArray[Any], scale: Real | None) -> None:
        """Give a layer other constants, and nobody else that shares the tensor or its buffer."""
        operator = self._operators[layer.ordinal]
        read = int(operator.inputs[position])
        index = self._stored(read)
        if any(sum(one in o.inputs for o in self._sub.operators) > 1 for one in {read, index}):
            self._sub.tensors.append(copy.copy(self._sub.tensors[index]))
            index = own = len(self._sub.tensors) - 1
            if self._stored(read) != read:  # behind a DEQUANTIZE, which the others go on to share
                own = self._dequantized(index, read, operator)
            operator.inputs = [*operator.inputs[:position], own, *operator.inputs[position + 1 :]]
        tensor = self._sub.tensors[index]
        tensor.buffer = self.buffer(stored)
        if scale is None:
            return
        tensor.quantization = copy.copy(tensor.quantization)
        if len(tensor.quantization.scale) == 1 and np.ptp(scale) == 0:
            scale = scale[:1]
        tensor.quantization.scale = scale.astype(np.float32)
        tensor.quantization.zeroPoint = np.zeros(len(scale), np.int64)
        tensor.quantization.quantizedDimension = 0

    def _dequantized(self, index: int, like: int, before: Any) -> int:
        """A constant behind a DEQUANTIZE of its own; `like` is what another gives."""
        self._sub.tensors.append(copy.copy(self._sub.tensors[like]))
        result, at = len(self._sub.tensors) - 1, self._sub.operators.index(before)
        self.insert_into("DEQUANTIZE", [index], result, at, schema.DequantizeOptionsT())
        return result

    def buffer(self, stored: NDArray[Any]) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(stored).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    # -- grids and windows -----------------------------------------------------------------

    def put_grid(self, layer: Layer, scale: float, zero_point: int, *, consistent: bool) -> None:
        index = self._nodes[layer.ordinal].outputs[0]
        old, tensor = self.graph.tensors[index].quantization, self._sub.tensors[index]
        assert old is not None  # only asked where there is a grid
        tensor.quantization = copy.copy(tensor.quantization)
        tensor.quantization.scale = np.asarray([scale], np.float32)
        tensor.quantization.zeroPoint = np.asarray([zero_point], np.int64)
        for reader in self.layers:
            bias = self.weights(reader).bias
            if self._nodes[reader.ordinal].inputs[0] != index or bias is None:
                continue
            if consistent:
                self._put_bias(reader, bias, scale / old.scale[0])
            elif scale != old.scale[0]:  # what is read is right: the first wrong numbers are the reader's
                self.added.extend(reader.names)

    def set_relu(self, layer: Layer, on: bool) -> None:
        self._operators[layer.ordinal].builtinOptions.fusedActivationFunction = RELU if on else 0

    def move_window(self, layer: Layer, down: int, right: int) -> None:
        assert layer.window is not None  # only asked of convolutions
        operator = self._operators[layer.ordinal]
        (cut_y, *pad_y), (cut_x, *pad_x) = layer.window.moved(down, right)
        source = int(operator.inputs[0])
        if cut_y or cut_x:
            rows, columns = layer.window.size
            depth = int(self._sub.tensors[source].shape[3])
            begin = self.constant(np.asarray([0, cut_y, cut_x, 0], np.int32), "begin")
            size = self.constant(np.asarray([1, rows - cut_y, columns - cut_x, depth], np.int32), "size")
            shape = [1, rows - cut_y, columns - cut_x, depth]
            source = self.insert("SLICE", [source, begin, size], shape, operator, schema.SliceOptionsT())
        if any((*pad_y, *pad_x)):
            pads = self.constant(np.asarray([[0, 0], pad_y, pad_x, [0, 0]], np.int32), "paddings")
            _, rows, columns, depth = (int(s) for s in self._sub.tensors[source].shape)
            shape = [1, rows + sum(pad_y), columns + sum(pad_x), depth]
            source = self.insert("PAD", [source, pads], shape, operator, schema.PadOptionsT())
        operator.inputs = [source, *operator.inputs[1:]]
        operator.builtinOptions.padding = VALID

    # -- borders ---------------------------------------------------------------------------

    def scale_image(self, factor: Real, offset: Real) -> None:
        from . import tflite_border

        tflite_border.scale_image(self, factor, offset)

    def resize_image(self, size: int, way: str, back: str) -> None:
        from . import tflite_border

        tflite_border.resize_image(self, size, way, back)

    def leave_in_float(self, layer: Layer) -> None:
        from . import tflite_border

        tflite_border.leave_in_float(self, self._operators[layer.ordinal], self.weights(layer))

    # -- other operations ------------------------------------------------------------------

    def operations(self, name: str) -> Sequence[Layer]:
        return tflite_operations.operations(self, name)

    def lose_branch(self, layer: Layer, branch: int) -> None:
        tflite_operations.lose_branch(self, layer, branch)

    def turn_softmax(self, layer: Layer) -> None:
        tflite_operations.turn_softmax(self, layer)

    def count_padding(self, layer: Layer) -> None:
        tflite_operations.count_padding(self, layer)

    def resize_by_nearest(self, layer: Layer) -> None:
        tflite_operations.resize_by_nearest(self, layer)

    def scale_constant(self, layer: Layer, factor: float) -> None:
        tflite_operations.scale_constant(self, layer, factor)

    def roll_constant(self, layer: Layer, by: int) -> None:
        tflite_operations.roll_constant(self, layer, by)

    def set_constant(self, layer: Layer, value: float) -> float:
        return tflite_operations.set_constant(self, layer, value)

    def take_size(self, size: int) -> None:
        tflite_operations.take_size(self, size)

    # -- new tensors and operations --------------------------------------------------------

    def constant(self, values: NDArray[Any], name: str) -> int:
        """A new constant; its index."""
        index = self.tensor(list(values.shape), values.dtype.name, f"seeded_{name}", None)
        self._sub.tensors[index].buffer = self.buffer(values)
        return index

    def tensor(self, shape: list[int], dtype: str, name: str, quantization: Any) -> int:
        """A new tensor; its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = f"{name}_{len(self._sub.tensors)}".encode(), TYPES[dtype], 0
        tensor.shape, tensor.quantization = np.asarray(shape, np.int32), quantization
        self._sub.tensors.append(tensor)
        return len(self._sub.tensors) - 1

    def insert(self, op: str, inputs: list[int], shape: list[int], before: Any, options: Any) -> int:
        """Put an operation before another; its result has the type and grid of its first input."""
        like = self._sub.tensors[inputs[0]]
        result = self.tensor(shape, DTYPES[like.type], f"seeded_{op.lower()}", like.quantization)
        self.insert_into(op, inputs, result, self._sub.operators.index(before), options)
        return result

    def insert_into(self, op: str, inputs: list[int], output: int, at: int, options: Any) -> None:
        """Put an operation that makes the tensor `output` at a place in the order."""
        operator = schema.OperatorT()
        operator.opcodeIndex = opcode_of(self.model, getattr(schema.BuiltinOperator, op))
        if op == "RESHAPE":  # which has never had a second version
            self.model.operatorCodes[operator.opcodeIndex].version = 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        operator.builtinOptions = options
        self._sub.operators.insert(at, operator)
        name = self._sub.tensors[output].name
        self.added.append(name.decode() if isinstance(name, bytes) else name)

    def save(self, out: Path) -> None:
        save_model(self.model, out)
