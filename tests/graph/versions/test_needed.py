"""The versions of dense layers, and those with which no runtime computes wrongly."""

from __future__ import annotations

import pytest

from resnet_edge.graph.versions.needed import needed_version, safe_version, scales_apart
from resnet_edge.graph.versions.operation import Operation
from tests.graph.versions.operands import operand


def dense(dtype: str, weights: str, scales: int, units: int = 4, bias: str = "float32") -> Operation:
    given = [operand(dtype, 1, 8), operand(weights, units, 8, scales=scales), operand(bias, units)]
    return Operation(name="FULLY_CONNECTED", inputs=tuple(given), outputs=(operand(dtype, 1, units),))


@pytest.mark.parametrize(
    ("operation", "needed", "safe"),
    [
        (dense("float32", "float32", 0), 1, 1),
        (dense("float32", "int8", 1), 3, 3),
        (dense("float32", "int8", 4), 3, 12),
        (dense("float32", "int8", 1, units=1), 3, 3),
        (dense("int8", "int8", 1), 4, 4),
        (dense("int8", "int8", 4), 4, 10),
        (dense("int16", "int8", 1, bias="int64"), 7, 7),
        (dense("int16", "int8", 4, bias="int64"), 7, 10),
        (dense("int16", "int8", 1, bias="int32"), 11, 11),
    ],
)
def test_dense_layers(operation: Operation, needed: int, safe: int) -> None:
    assert (needed_version(operation), safe_version(operation)) == (needed, safe)


@pytest.mark.parametrize(
    ("activations", "since"), [("float32", "2.17"), ("int8", "2.13"), ("int16", "2.13"), ("float16", None)]
)
def test_what_a_scale_for_each_output_takes_is_known_without_a_file(
    activations: str, since: str | None
) -> None:
    release = scales_apart(activations)
    assert (release and release.since) == since
