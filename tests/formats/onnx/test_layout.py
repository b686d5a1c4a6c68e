"""Axes of the portable graph and of the lowering."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.formats._onnx.builder import Builder, NotLowered
from resnet_edge.formats._onnx.layout import axis_here, here, known_shape, reshaped, transposed
from resnet_edge.graph.model import Graph, Tensor


def builder(*shapes: tuple[int | None, ...]) -> Builder:
    tensors = tuple(
        Tensor(name=f"t{number};fused", shape=shape, dtype="float32", data=None, quantization=None)
        for number, shape in enumerate(shapes)
    )
    return Builder(Graph(tensors, (), (0,), (0,)), "float32")


@pytest.mark.parametrize("axis", range(-4, 4))
def test_an_axis_is_where_its_size_is(axis: int) -> None:
    sizes = ["n", "height", "width", "channels"]
    assert here(sizes) == ["n", "channels", "height", "width"]
    assert here(sizes)[axis_here(axis, 4)] == sizes[axis]


@pytest.mark.parametrize("rank", [2, 3, 5])
def test_other_ranks_keep_their_order(rank: int) -> None:
    assert here([*range(rank)]) == [*range(rank)]
    assert [axis_here(axis, rank) for axis in range(rank)] == [*range(rank)]
    assert axis_here(-1, rank) == rank - 1


def test_an_order_that_changes_nothing_is_no_node() -> None:
    b = builder((1, 2))
    assert transposed(b, "x", (0, 1, 2), "hint") == "x"
    assert b.nodes == []
    assert transposed(b, "x", (0, 2, 1), "hint") != "x"
    assert [node.op_type for node in b.nodes] == ["Transpose"]


def test_one_size_of_a_reshape_may_be_unknown() -> None:
    b = builder((1, 2))
    reshaped(b, "x", (None, 4, 2), "hint")
    assert np.frombuffer(b.initializers[0].raw_data, np.int64).tolist() == [-1, 4, 2]
    with pytest.raises(NotLowered, match=r"a reshape to \(None, None\) at 'hint'"):
        reshaped(b, "x", (None, None), "hint")


def test_all_but_the_batch_must_be_known() -> None:
    b = builder((None, 4, 4, 3), (None, None, 3), (2, 3))
    assert known_shape(b, 0) == (-1, 4, 4, 3)
    assert known_shape(b, 2) == (2, 3)
    with pytest.raises(NotLowered, match=r"'t1' has the unknown shape \(None, None, 3\)"):
        known_shape(b, 1)
