"""What stands in an ONNX graph about its values: dtypes, sizes, constants and readers."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.graph.macs import onnx_constants


class Values:
    """The dtype and the sizes of every value of the main graph, and the numbers of constants that are in
    the file. Raises whatever a damaged one leads to."""

    def __init__(self, model: onnx.ModelProto) -> None:
        try:
            graph = onnx.shape_inference.infer_shapes(model).graph
        except onnx.shape_inference.InferenceError:  # what the file itself declares is left
            graph = model.graph
        entries = [*graph.value_info, *graph.input, *graph.output]
        self._types = {entry.name: entry.type.tensor_type.elem_type for entry in entries}
        self._sizes = {entry.name: _sizes(entry) for entry in entries}
        self._constants = dict(onnx_constants(graph))
        self._types |= {name: tensor.data_type for name, tensor in self._constants.items()}
        self._sizes |= {name: tuple(tensor.dims) for name, tensor in self._constants.items()}
        self.ends = {entry.name for entry in (*graph.input, *graph.output)}
        self.makers = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def dtype(self, name: str) -> str:
        """As numpy spells it; empty where it is not known."""
        kind = self._types.get(name, TensorProto.UNDEFINED)
        return str(helper.tensor_dtype_to_np_dtype(kind)) if kind != TensorProto.UNDEFINED else ""

    def sizes(self, name: str) -> tuple[int | None, ...]:
        """Empty where nothing is known; None where a size is open."""
        return self._sizes.get(name, ())

    def is_constant(self, name: str) -> bool:
        """Whether the file gives it."""
        return name in self._constants

    def numbers(self, name: str) -> NDArray[np.generic] | None:
        """None where they are computed, or in another file."""
        tensor = self._constants.get(name)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
            return None
        return np.asarray(numpy_helper.to_array(tensor))


def _sizes(entry: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    return tuple(
        size.dim_value if size.HasField("dim_value") else None for size in entry.type.tensor_type.shape.dim
    )
