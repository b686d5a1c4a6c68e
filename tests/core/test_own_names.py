"""Tests that what tells of layers tells of them by the names of their model."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.own_names import named, with_own_names

NAMES = {"conv_1": "conv 1", "x_y_": "x<y>"}


@dataclass(frozen=True)
class Row:
    layer: str
    path: str = ""


@dataclass(frozen=True)
class Named:
    notes: tuple[str, ...]
    plan: Row
    labels: tuple[str, ...] = ()


def test_scopes_are_named_and_nothing_else() -> None:
    assert named("net_1/conv_1_2/Relu;net_1/x_y_/Add", NAMES) == "net_1/conv 1_2/Relu;net_1/x<y>/Add"
    assert (
        named("conv_10/Relu, my_conv_1 and conv_1.int8", NAMES) == "conv_10/Relu, my_conv_1 and conv_1.int8"
    )


def test_what_tells_of_layers_is_named_however_deep() -> None:
    given = Named(("conv_1 is wrong",), Row("a/conv_1/b", "/conv_1/file"), ("conv_1",))
    named = with_own_names(given, NAMES)
    assert named == Named(("conv 1 is wrong",), Row("a/conv 1/b", "/conv_1/file"), ("conv_1",))
    assert with_own_names(given, {}) is given
