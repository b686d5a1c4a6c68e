"""Operators as a file has them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.versions.operation import Operation, builtin_name, operations
from tests.graph.versions.operands import operand


def tensor(kind: int, shape: list[int] | None, scale: list[float] | None = None, axis: int = 0) -> object:
    tensor_ = schema.TensorT()
    tensor_.type, tensor_.shape = kind, shape
    if scale is not None:
        tensor_.quantization = schema.QuantizationParametersT()
        tensor_.quantization.scale = np.array(scale, np.float32)
        tensor_.quantization.quantizedDimension = axis
    return tensor_


def model() -> object:
    """One convolution without a bias."""
    whole, graph, operator, code = (
        schema.ModelT(),
        schema.SubGraphT(),
        schema.OperatorT(),
        schema.OperatorCodeT(),
    )
    code.builtinCode = schema.BuiltinOperator.CONV_2D
    kinds = schema.TensorType
    graph.tensors = [
        tensor(kinds.INT8, [1, 4, 4, 3], [0.5]),
        tensor(kinds.INT8, [2, 3, 3, 3], [0.5, 0.25]),
        tensor(kinds.FLOAT32, None),
    ]
    operator.inputs, operator.outputs, operator.opcodeIndex = [0, 1, -1], [2], 0
    operator.builtinOptions = schema.Conv2DOptionsT()
    operator.builtinOptions.strideH = 2
    graph.operators = [operator]
    whole.subgraphs, whole.operatorCodes = [graph], [code]
    return whole


def test_what_a_convolution_uses() -> None:
    (operation,) = operations(model())
    assert operation.name == "CONV_2D"
    assert operation.types("int8", "int8", "float32")
    assert (
        operation.rank(),
        operation.rank(2),
        operation.option("strideH"),
        operation.option("nothing"),
    ) == (4, 0, 2, None)
    weights = operation.input(1)
    assert weights is not None
    assert weights.scales == (0.5, 0.25)
    assert weights.per_channel(0)
    assert not weights.per_channel(1)
    assert (operation.input(2), operation.input(9), operation.type(2), operation.gives(1)) == (
        None,
        None,
        "",
        "",
    )


@pytest.mark.parametrize(("code", "old", "name"), [(0, 3, "CONV_2D"), (150, 127, "GELU"), (9999, 127, "")])
def test_the_larger_of_both_codes_is_the_operator(code: int, old: int, name: str) -> None:
    """Before 127 was full, the code was a byte."""
    assert builtin_name(SimpleNamespace(builtinCode=code, deprecatedBuiltinCode=old)) == name


@pytest.mark.parametrize(
    ("shapes", "broadcasts"),
    [
        (((1, 2, 3, 4, 5), (5,)), True),
        (((1, 2, 3, 4, 5), (1, 2, 3, 4, 5)), False),
        (((1, 2, 3, 4), (4,)), False),
        (((1, 2, 3, 4, 5),), False),
    ],
)
def test_broadcasts_of_five_axes(shapes: tuple[tuple[int, ...], ...], broadcasts: bool) -> None:
    inputs = tuple(operand("float32", *shape) for shape in shapes)
    assert Operation(name="ADD", inputs=inputs, outputs=()).broadcasts_more_than_four is broadcasts
