"""Functions number by number, of graphs that are written down by hand."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.model import Graph, Node, Tensor
from resnet_edge.graph.rewrites.monotone import compared_with_constant, monotone
from resnet_edge.graph.rewrites.readers import Readers

RELU = {"fusedActivationFunction": schema.ActivationFunctionType.RELU}
Step = tuple[str, tuple[str, str] | tuple[str], str]


def graph(*steps: Step, relu: bool = False, **constants: list[float]) -> tuple[Readers, dict[str, int]]:
    """Of operations (op, what it reads, what it gives), on `x`; the number of each tensor by its name."""
    names = ["x", *constants, *(gives for *_, gives in steps)]
    data = {name: np.array(values, np.float32) for name, values in constants.items()}
    tensors = tuple(
        Tensor(name=name, shape=(1, 2), dtype="float32", data=data.get(name), quantization=None)
        for name in names
    )
    at = {name: number for number, name in enumerate(names)}
    nodes = tuple(
        Node(op, tuple(at[name] for name in reads), (at[gives],), RELU if relu else {})
        for op, reads, gives in steps
    )
    return Readers(Graph(tensors, nodes, (0,), (len(names) - 1,))), at


@pytest.mark.parametrize(
    ("step", "constant", "slope", "at_two"),
    [
        (("NEG", ("x",), "y"), [0], -1, -2),
        (("ADD", ("x", "c"), "y"), [3], 1, 5),
        (("ADD", ("c", "x"), "y"), [3], 1, 5),
        (("SUB", ("x", "c"), "y"), [3], 1, -1),
        (("SUB", ("c", "x"), "y"), [3], -1, 1),
        (("MUL", ("x", "c"), "y"), [3], 1, 6),
        (("MUL", ("x", "c"), "y"), [-3], -1, -6),
        (("DIV", ("x", "c"), "y"), [4], 1, 0.5),
        (("DIV", ("x", "c"), "y"), [-4], -1, -0.5),
    ],
)
def test_one_operation(step: Step, constant: list[float], slope: int, at_two: float) -> None:
    readers, at = graph(step, c=constant)
    slope_of = monotone(readers, at["y"], 0)
    assert slope_of is not None
    assert (slope_of.slope, float(np.ravel(slope_of.of(np.float32(2)))[0])) == (slope, at_two)


@pytest.mark.parametrize(
    ("step", "constant"),
    [
        (("DIV", ("c", "x"), "y"), [4]),  # falls on either side of zero, and not across it
        (("MUL", ("x", "c"), "y"), [1, -1]),
        (("MUL", ("x", "c"), "y"), [0]),
        (("MUL", ("x", "x"), "y"), [1]),
        (("EXP", ("x",), "y"), [1]),
    ],
)
def test_what_is_not_known_to_rise_or_fall(step: Step, constant: list[float]) -> None:
    readers, at = graph(step, c=constant)
    assert monotone(readers, at["y"], 0) is None


def test_operations_one_after_another() -> None:
    steps = ("SUB", ("c", "x"), "a"), ("MUL", ("a", "d"), "b"), ("NEG", ("b",), "y")
    readers, at = graph(*steps, c=[1, 2], d=[-2])
    slope_of = monotone(readers, at["y"], 0)
    assert slope_of is not None
    assert slope_of.slope == -1
    np.testing.assert_array_equal(slope_of.of(np.array([3, 3], np.float32)), [-4, -2])
    assert monotone(readers, at["x"], 0) is not None
    assert monotone(readers, at["a"], at["b"]) is None  # the other way round


def test_a_fused_activation_ends_it() -> None:
    readers, at = graph(("ADD", ("x", "c"), "y"), c=[3], relu=True)
    assert monotone(readers, at["y"], 0) is None


@pytest.mark.parametrize(
    ("op", "reads", "below"),
    [
        ("LESS", ("x", "c"), True),
        ("LESS", ("c", "x"), False),
        ("GREATER_EQUAL", ("x", "c"), False),
        ("GREATER_EQUAL", ("c", "x"), True),
    ],
)
def test_comparisons(op: str, reads: tuple[str, str], below: bool) -> None:
    readers, at = graph((op, reads, "y"), c=[3])
    comparison = compared_with_constant(readers, at["y"])
    assert comparison is not None
    assert (comparison.compared, comparison.border.tolist(), comparison.true_below) == (0, [3], below)


def test_what_is_no_comparison_of_order_with_a_constant() -> None:
    for op, reads in (("EQUAL", ("x", "c")), ("LESS", ("x", "x"))):
        readers, at = graph((op, reads, "y"), c=[3])
        assert compared_with_constant(readers, at["y"]) is None
    assert compared_with_constant(readers, at["x"]) is None
