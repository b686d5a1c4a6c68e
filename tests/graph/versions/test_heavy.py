"""Versions of layers with weights."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from resnet_edge.graph.versions.heavy import CONVOLUTION, DEPTHWISE, FULLY_CONNECTED, SHUFFLED
from resnet_edge.graph.versions.operation import Operation
from tests.graph.versions.operands import operand


def layer(
    types: str, kernel: tuple[int, ...], scales: int, axis: int = 0, *, inputs: int = 3, **options: Any
) -> Operation:
    """`types`: of image, weights, bias and output."""
    image, weights, bias, out = types.split()
    given = operand(image, 1, 8, 8, 6), operand(weights, *kernel, scales=scales, axis=axis), operand(bias, 4)
    outputs = (operand(out, 1, 8, 8, 4),)
    return Operation(name="LAYER", inputs=given[:inputs], outputs=outputs, options=SimpleNamespace(**options))


FLOAT, HYBRID, INT8 = (
    "float32 float32 float32 float32",
    "float32 int8 float32 float32",
    "int8 int8 int32 int8",
)
INT16, SHORT = "int16 int8 int64 int16", "int16 int8 int32 int16"


@pytest.mark.parametrize(
    ("types", "inputs", "scales", "version"),
    [
        (FLOAT, 6, 0, 1),
        (FLOAT, 3, 0, 6),  # two groups
        (HYBRID, 6, 2, 2),  # neither one nor one for each of four
        (HYBRID, 6, 4, 5),
        (INT8, 6, 4, 3),
        (INT8.replace("int8 int8", "int8 int4", 1), 6, 4, 7),
        (INT16, 6, 4, 4),
        (SHORT, 6, 4, 8),
        (SHORT, 3, 4, 8),
    ],
)
def test_convolutions(types: str, inputs: int, scales: int, version: int) -> None:
    assert CONVOLUTION(layer(types, (4, 3, 3, inputs), scales)) == version


@pytest.mark.parametrize(
    ("types", "scales", "dilation", "version"),
    [
        (FLOAT, 0, 1, 1),
        (FLOAT, 0, 2, 2),
        (HYBRID, 1, 1, 4),
        (HYBRID, 6, 2, 6),
        (INT8, 6, 1, 3),
        (INT8, 6, 2, 3),
        (INT8.replace("int8 int8", "int8 int4", 1), 6, 1, 7),
        (INT16, 6, 1, 5),
    ],
)
def test_depthwise_convolutions(types: str, scales: int, dilation: int, version: int) -> None:
    convolution = layer(types, (1, 3, 3, 6), scales, 3, dilationWFactor=dilation, dilationHFactor=1)
    assert DEPTHWISE(convolution) == version


@pytest.mark.parametrize(
    ("types", "options", "inputs", "version"),
    [
        (FLOAT, {}, 3, 1),
        (FLOAT, {"weightsFormat": SHUFFLED}, 3, 2),
        (FLOAT, {"keepNumDims": True}, 3, 5),
        (FLOAT, {}, 2, 6),
        (HYBRID, {}, 3, 3),
        (HYBRID, {"asymmetricQuantizeInputs": True}, 3, 9),
        (INT8, {}, 3, 4),
        (INT8.replace("int8 int8", "int8 int4", 1), {}, 3, 10),
        (INT8.replace("int8 int8", "int8 int2", 1), {}, 3, 14),
        (INT16, {}, 3, 7),
        (SHORT, {}, 3, 11),
        (INT16.replace("int8", "int4", 1), {}, 3, 13),
    ],
)
def test_dense_layers(types: str, options: dict[str, Any], inputs: int, version: int) -> None:
    assert FULLY_CONNECTED(layer(types, (4, 6), 1, inputs=inputs, **options)) == version


def test_sparse_weights_came_later() -> None:
    dense = layer(FLOAT, (4, 6), 0)
    image, weights, bias = dense.inputs
    assert weights is not None
    assert FULLY_CONNECTED(replace(dense, inputs=(image, replace(weights, sparse=True), bias))) == 8
