"""The weights of a file's layers as they are stored, and what each layer computes with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.macs import INTEGER_OPERATORS, MULTIPLYING, dequantized, onnx_constants, weights_at
from resnet_edge.graph.model import Graph, Node, read_graph

if TYPE_CHECKING:
    import onnx

IMAGE_AND_KERNEL = {
    "CONV_2D": (0, 1),
    "DEPTHWISE_CONV_2D": (0, 1),
    "FULLY_CONNECTED": (0, 1),
    "TRANSPOSE_CONV": (2, 1),
}
"""Which operands of a TFLite layer are the image and the kernel."""
DYNAMIC = frozenset({"ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul"})
MOVING = frozenset({"Cast", "Transpose", "Reshape", "Identity", "DequantizeLinear"})
"""ONNX nodes through which a constant stays the same weights."""


@dataclass(frozen=True)
class StoredLayer:
    """`reads`: the dtype of the activations that it multiplies, `weights`: as they are stored, both as numpy
    spells them; `values`: the stored weights, None where they lie in a file that is not there."""

    reads: str
    weights: str
    values: NDArray[Any] | None

    @property
    def computes(self) -> bool:
        """Whether the layer mixes or weighs anything: not where each output is one input, times a stored
        value that is the same for all. Such a layer can be added anywhere, and tells nothing of the file."""
        values = self.values
        if values is None or not values.size:
            return True
        apart = np.unique(values[values != 0])
        return len(apart) > 1 or int(np.count_nonzero(values)) > max(values.shape, default=1)


def stored_layers(path: Path, format: str) -> tuple[StoredLayer, ...]:
    """Every layer of a .tflite or .onnx file whose weights are constants. Raises ArtifactError; what onnx
    raises where the file is none."""
    if format == "tflite":
        return tuple(_of_tflite(read_graph(path)))
    return tuple(_of_onnx(_loaded(path)))


def _of_tflite(graph: Graph) -> Iterator[StoredLayer]:
    makers = {index: node for node in graph.nodes for index in node.outputs}
    for node in graph.nodes:
        if node.op not in IMAGE_AND_KERNEL:
            continue
        image, kernel = (node.inputs[at] for at in IMAGE_AND_KERNEL[node.op])
        stored = graph.tensors[_dequantized(kernel, makers)]
        if stored.data is None:
            continue
        # An integer kernel behind a DEQUANTIZE multiplies floats, unless these come from integers as well.
        behind = stored is not graph.tensors[kernel] and "int" in stored.dtype
        reads = graph.tensors[_dequantized(image, makers) if behind else image].dtype
        yield StoredLayer(reads, stored.dtype, stored.data)


def _dequantized(index: int, makers: dict[int, Node]) -> int:
    maker = makers.get(index)
    return maker.inputs[0] if maker is not None and maker.op == "DEQUANTIZE" else index


def _loaded(path: Path) -> onnx.ModelProto:
    import onnx

    try:
        return onnx.load(str(path))
    except Exception:  # weights of another file that is not there: what the file itself says is known
        return onnx.load(str(path), load_external_data=False)


def _of_onnx(model: onnx.ModelProto) -> Iterator[StoredLayer]:
    makers = {name: node for node in model.graph.node for name in node.output}
    constants = dict(onnx_constants(model.graph))
    for node in model.graph.node:
        if node.op_type not in MULTIPLYING and node.op_type != "ConvTranspose":
            continue
        at = weights_at(node.op_type)
        source = _constant(node.input[at], makers, constants) if at < len(node.input) else None
        if source is None:
            continue
        stored = constants[source]
        yield StoredLayer(_reads(node, makers, constants, source), _dtype(stored), _values(stored))


def _constant(
    name: str, makers: dict[str, onnx.NodeProto], constants: dict[str, onnx.TensorProto]
) -> str | None:
    while name not in constants:
        maker = makers.get(name)
        if maker is None or maker.op_type not in MOVING:
            return None
        name = maker.input[0]
    return name


def _reads(
    node: onnx.NodeProto,
    makers: dict[str, onnx.NodeProto],
    constants: dict[str, onnx.TensorProto],
    source: str,
) -> str:
    """What a layer multiplies: integers where both operands come from integers with grids of their own."""
    if node.op_type in DYNAMIC:
        return "float32"
    stored = _dtype(constants[source])
    if node.op_type in INTEGER_OPERATORS:
        return "int8"
    image = dequantized(node.input[0], makers)
    if not _is_integer(stored) or image is None:
        return "float16" if stored == "float16" else "float32"
    zero = constants.get(image.input[2]) if len(image.input) > 2 else None
    return "int16" if zero is not None and _dtype(zero).endswith("int16") else "int8"


def _is_integer(dtype: str) -> bool:
    return "int" in dtype


def _dtype(tensor: onnx.TensorProto) -> str:
    from onnx import helper

    return str(helper.tensor_dtype_to_np_dtype(tensor.data_type))


def _values(tensor: onnx.TensorProto) -> NDArray[Any] | None:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    values: NDArray[Any] = numpy_helper.to_array(tensor)
    return values


def float16_numbers(layers: Iterable[StoredLayer]) -> bool:
    """Whether layers that compute anything store float32, and all of their weights are numbers that float16
    has: what is left of a float16 file that was widened again (tf2onnx of a float16 .tflite does so)."""
    computing = [one for one in layers if one.computes]
    return bool(computing) and all(_narrow(one.values) for one in computing)


def _narrow(values: NDArray[Any] | None) -> bool:
    if values is None or values.dtype != np.float32:
        return False
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float16) == values).all())


def dtypes(layers: Iterable[StoredLayer]) -> set[tuple[str, str]]:
    """What the layers that compute anything read and store; those of all layers where none does."""
    stored = tuple(layers)
    return {(one.reads, one.weights) for one in (tuple(o for o in stored if o.computes) or stored)}
