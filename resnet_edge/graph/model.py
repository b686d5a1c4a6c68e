"""A TFLite flatbuffer as plain values, and back.

The schema is tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3; tensors are NHWC.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError

DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.FLOAT16: "float16",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT64: "int64",
    schema.TensorType.BOOL: "bool",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT8: "int8",
    schema.TensorType.INT4: "int4",
    schema.TensorType.INT2: "int2",
}
PACKED = {"int4": 4, "int2": 2}
"""Types of which several are in a byte, the first in its lowest bits, and their bits. numpy has none of them:
such constants are held as int8."""
OP_NAMES: dict[int, str] = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}
ALIGNMENT = 16
"""Of constants in a file, in bytes."""
ABSENT = -1
"""The index of an optional input that is not given."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor; None in `shape` is a dynamic size; `data` is there for constants only."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    data: NDArray[Any] | None
    quantization: Quantization | None

    @property
    def stored_bytes(self) -> int:
        """What a constant takes in the file."""
        if self.data is None:
            return 0
        return (
            math.ceil(self.data.nbytes * PACKED[self.dtype] / 8) if self.dtype in PACKED else self.data.nbytes
        )


@dataclass(frozen=True)
class Node:
    """One operation; `options` are its builtin options by their schema names."""

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """One subgraph; nodes are in execution order and refer to tensors by index."""

    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def specs(self, indices: tuple[int, ...]) -> tuple[TensorSpec, ...]:
        """What the file declares of some of its tensors."""
        tensors = (self.tensors[index] for index in indices)
        return tuple(TensorSpec(t.name, t.shape, t.dtype, t.quantization) for t in tensors)


def load_model(path: Path) -> Any:
    """The flatbuffer as a mutable `schema.ModelT`. Raises ArtifactError if it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): name a .tflite file") from error
    if content[4:8] != b"TFL3":
        raise ArtifactError(
            f"{path} is not a TFLite file (no TFL3 mark): copy it again, or name a .tflite file"
        )
    with _damage(path):
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        subgraphs = len(model.subgraphs)
    if subgraphs != 1:
        raise ArtifactError(f"{path} has {subgraphs} subgraphs, and one is needed: convert the model again")
    _bring_in(model, content, path)
    return model


def _bring_in(model: Any, content: bytes, path: Path) -> None:
    """Move buffers that stand behind the flatbuffer (offset and size, as litert-quantizer
    writes them) into it, where every runtime and every version of the schema finds them."""
    for buffer in model.buffers or ():
        if buffer.data is not None or buffer.offset <= 1:
            continue
        if buffer.offset + buffer.size > len(content):
            raise ArtifactError(f"{path} is cut short: a constant lies behind its end; copy it again")
        buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0


def save_model(model: Any, path: Path) -> None:
    """Write a `schema.ModelT`."""
    path.write_bytes(packed(model))


def packed(model: Any) -> bytearray:
    """The content of the file of a `schema.ModelT`."""
    held = sum(len(buffer.data) for buffer in model.buffers or () if buffer.data is not None)
    builder = _AligningBuilder(held + (1 << 20))  # one that is too small is copied each time it grows
    builder.Finish(model.Pack(builder), b"TFL3")
    content: bytearray = builder.Output()
    return content


class _AligningBuilder(flatbuffers.Builder):
    """Constants begin at a multiple of 16 bytes of the file, as schema.fbs asks (`force_align: 16`): kernels
    of microcontrollers and NPUs read them where they lie. The generated `BufferT.Pack` forgets that."""

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:
        if x.dtype == np.uint8:  # what buffers hold, of whatever type their tensor is
            self.Prep(ALIGNMENT, x.nbytes)
        offset: int = super().CreateNumpyVector(x)
        return offset


def read_graph(path: Path) -> Graph:
    """The graph in a `.tflite` file. Raises ArtifactError."""
    model = load_model(path)
    with _damage(path):
        return graph_of(model)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Whatever reading a damaged flatbuffer raises (struct.error, IndexError, TypeError where a
    table is missing, MemoryError where a size is absurd...) as one ArtifactError."""
    try:
        yield
    except Exception as error:  # see above
        raise ArtifactError(
            f"{path} is damaged ({type(error).__name__}: {error}): copy or convert it again"
        ) from error


def graph_of(model: Any) -> Graph:
    """The graph of a `schema.ModelT`. Raises whatever a damaged one leads to."""
    subgraph = model.subgraphs[0]
    graph = Graph(
        tuple(_tensor(tensor, model.buffers) for tensor in subgraph.tensors),
        tuple(_node(operator, model.operatorCodes) for operator in subgraph.operators),
        tuple(int(i) for i in subgraph.inputs),
        tuple(int(i) for i in subgraph.outputs),
    )
    _check(graph)
    return graph


LEAST = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}
"""How many inputs a heavy operation has at least. Others have one, but for those that say nothing of it."""


def _check(graph: Graph) -> None:
    """Raise where indices lead nowhere, or an operation lacks what every reader asks it for."""
    count = len(graph.tensors)
    for node in graph.nodes:
        least = LEAST.get(node.op, 0)
        if len(node.inputs) < least or ABSENT in node.inputs[:least]:
            raise IndexError(f"a {node.op} has {len(node.inputs)} inputs")
        if least and not node.outputs:
            raise IndexError(f"a {node.op} has no output")
        for index in (*node.inputs, *node.outputs):
            if not ABSENT <= index < count:
                raise IndexError(f"there is no tensor {index}")
    for index in (*graph.inputs, *graph.outputs, *(i for node in graph.nodes for i in node.outputs)):
        if not 0 <= index < count:
            raise IndexError(f"there is no tensor {index}")


def with_folded_casts(graph: Graph) -> Graph:
    """The graph with float16 constants as constants: TFLite stores each behind a DEQUANTIZE."""
    casts = {
        node.outputs[0]: graph.tensors[node.inputs[0]]
        for node in graph.nodes
        if node.op == "DEQUANTIZE"
        and node.inputs
        and node.outputs
        and graph.tensors[node.inputs[0]].dtype == "float16"
    }
    tensors = tuple(replace(t, data=casts[i].data) if i in casts else t for i, t in enumerate(graph.tensors))
    nodes = tuple(node for node in graph.nodes if not casts.keys() & set(node.outputs))
    return replace(graph, tensors=tensors, nodes=nodes)


def op_name(operator: Any, codes: Any) -> str:
    """The name of an operator in the schema, or `CUSTOM:<code>`."""
    code = codes[operator.opcodeIndex]
    if code.customCode:
        return f"CUSTOM:{_text(code.customCode)}"
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    return OP_NAMES.get(builtin, f"BUILTIN:{builtin}")


def _tensor(tensor: Any, buffers: Any) -> Tensor:
    sizes = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
    shape = tuple(None if size < 0 else int(size) for size in (sizes if sizes is not None else ()))
    dtype = DTYPES.get(tensor.type, f"type {tensor.type}")
    raw = buffers[tensor.buffer].data
    data = None
    if raw is not None and len(raw) and dtype in DTYPES.values():
        sizes = [int(s) for s in tensor.shape] if tensor.shape is not None else []  # a scalar has none
        held = np.asarray(raw, np.uint8)
        flat = _unpacked(held, PACKED[dtype], sizes) if dtype in PACKED else held.tobytes()
        data = np.frombuffer(flat, "int8" if dtype in PACKED else dtype).reshape(sizes)
    return Tensor(
        name=_text(tensor.name),
        shape=shape,
        dtype=dtype,
        data=data,
        quantization=_quantization(tensor.quantization, shape),
    )


def _unpacked(held: NDArray[np.uint8], bits: int, sizes: list[int]) -> bytes:
    """Integers of so few bits, each in a byte of its own."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    raised = (held[:, None] >> shifts << (8 - bits)).astype(np.uint8)  # the sign to its place
    values: NDArray[np.int8] = raised.view(np.int8).ravel()[: math.prod(sizes)] >> (8 - bits)
    return values.tobytes()


def _quantization(stored: Any, shape: tuple[int | None, ...]) -> Quantization | None:
    if stored is None or stored.scale is None or not len(stored.scale):
        return None
    scale = tuple(float(s) for s in stored.scale)
    zero_point = (
        tuple(int(z) for z in stored.zeroPoint) if stored.zeroPoint is not None else (0,) * len(scale)
    )
    axis = int(stored.quantizedDimension) if len(scale) > 1 else None
    if axis is not None and not (0 <= axis < len(shape) and shape[axis] in (None, len(scale))):
        raise ValueError(f"there are {len(scale)} scales along axis {axis} of {shape}")
    if len(zero_point) not in (1, len(scale)):
        raise ValueError(f"there are {len(scale)} scales and {len(zero_point)} zero points")
    return Quantization(scale, zero_point, axis)


def _node(operator: Any, codes: Any) -> Node:
    options = dict(vars(operator.builtinOptions)) if operator.builtinOptions is not None else {}
    indices = tuple(int(i) for i in operator.inputs), tuple(int(i) for i in operator.outputs)
    return Node(op_name(operator, codes), *indices, options)


def _text(raw: Any) -> str:
    return raw.decode(errors="backslashreplace") if isinstance(raw, bytes) else str(raw)
