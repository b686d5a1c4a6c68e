"""ONNX models of one node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8


def model(
    nodes: list[onnx.NodeProto],
    opset: int = 11,
    ir: int = 6,
    constants: tuple[onnx.TensorProto, ...] = (),
    domains: tuple[tuple[str, int], ...] = (),
    dtype: int = FLOAT,
) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, end, [1, 4]) for name, end in (("x", dtype), ("y", FLOAT))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], list(constants))
    imports = [helper.make_opsetid(name, version) for name, version in (("", opset), *domains)]
    proto: onnx.ModelProto = helper.make_model(graph, opset_imports=imports)
    proto.ir_version = ir
    return proto


def node(kind: str, *inputs: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    proto: onnx.NodeProto = helper.make_node(kind, list(inputs or ("x",)), ["y"], domain=domain, **attributes)
    return proto


def constant(dtype: str) -> onnx.TensorProto:
    proto: onnx.TensorProto = numpy_helper.from_array(np.ones((4, 4), dtype), "w")
    return proto


MICROSOFT = (("com.microsoft", 1),)
