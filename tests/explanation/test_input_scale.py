"""A scale of the image, apart or folded: the same network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resnet_edge.explanation.contradictions import contradictions
from resnet_edge.explanation.input_scale import folded_input_scale
from resnet_edge.explanation.layers import IMAGE, Layer, Network

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3, 3, 3))
SCALE = Layer("scale", "scale", (8, 8, 3), (IMAGE,), weights=np.full((3, 1, 1, 1), 0.25))
EACH = replace(SCALE, weights=np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1, 1))
ZERO = Layer("zero", "shift", (8, 8, 3), (0,), bias=np.zeros(1))
AROUND = (1, 1, 1, 1)
CONV = Layer(
    *("conv", "conv", (8, 8, 4), (1,)),
    weights=WEIGHTS,
    bias=np.zeros(4),
    step=np.full(4, 0.5),
    padding=AROUND,
)
FOLDED = Network((replace(CONV, reads=(IMAGE,), weights=0.25 * WEIGHTS),))


def test_the_scale_goes_into_the_weights_and_their_grid() -> None:
    scale, _, conv = folded_input_scale(Network((SCALE, ZERO, CONV)), FOLDED).layers
    assert conv.reads == (IMAGE,)
    assert conv.weights is not None
    assert conv.step is not None
    np.testing.assert_array_equal(conv.weights, 0.25 * WEIGHTS)
    np.testing.assert_array_equal(conv.step, np.full(4, 0.125))
    assert scale.weights is not None
    assert (scale.weights == 1).all()


@pytest.mark.parametrize(
    "layers",
    [
        (SCALE, Layer("shift", "shift", (8, 8, 3), (0,), bias=np.ones(1)), CONV),  # its border is another
        (SCALE, ZERO, Layer("pool", "pool", (4, 4, 3), (1,))),
        (
            Layer("s", "scale", (8, 8, 3), (IMAGE,), weights=np.array([[[[1.0]]], [[[2.0]]], [[[3.0]]]])),
            ZERO,
            CONV,
        ),
        (Layer("conv", "conv", (8, 8, 3), (IMAGE,), weights=WEIGHTS[:3]), ZERO, CONV),
    ],
    ids=["shift", "pool", "one for each channel in integers", "no scale"],
)
def test_what_cannot_be_folded_stays(layers: tuple[Layer, ...]) -> None:
    found = folded_input_scale(Network(layers), FOLDED).layers
    for before, after in zip(layers, found, strict=True):
        if before.weights is not None:
            assert after.weights is not None
            np.testing.assert_array_equal(after.weights, before.weights)


def test_channels_have_scales_of_their_own_in_float() -> None:
    conv = Layer("conv", "conv", (8, 8, 4), (0,), weights=WEIGHTS, bias=np.zeros(4))
    other = Network((replace(conv, reads=(IMAGE,), weights=WEIGHTS * [1.0, 2.0, 3.0]),))
    found = folded_input_scale(Network((EACH, conv)), other).layers[1].weights
    assert found is not None
    np.testing.assert_array_equal(found, WEIGHTS * [1.0, 2.0, 3.0])


def test_a_scale_near_one_stays_whatever_the_weights_say() -> None:
    scale = replace(SCALE, weights=np.full((3, 1, 1, 1), 1.004))
    other = Network((replace(CONV, reads=(IMAGE,), weights=1.004 * WEIGHTS),))
    found = folded_input_scale(Network((scale, ZERO, CONV)), other)
    assert found.layers[2].weights is CONV.weights


@pytest.mark.parametrize("factor", [0.5, 1.004, 255.0])
def test_a_scale_that_is_one_too_many_stays(factor: float) -> None:
    """The weights are those of the other network already."""
    scale = replace(SCALE, weights=np.full((3, 1, 1, 1), factor))
    other = Network((replace(CONV, reads=(IMAGE,)),))
    found = folded_input_scale(Network((scale, ZERO, CONV)), other)
    assert found.layers[0].weights is not None
    assert (found.layers[0].weights == factor).all()
    assert found.layers[2].weights is CONV.weights


def test_a_shift_behind_a_scale_of_one_is_a_preparation_too_many() -> None:
    one = replace(SCALE, weights=np.ones((3, 1, 1, 1)))
    shift = Layer("shift", "shift", (8, 8, 3), (0,), bias=np.full(3, 2.6))
    reference = Network((replace(CONV, reads=(IMAGE,), step=None),))
    artifact = Network((one, shift, replace(CONV, step=None)))
    found, _ = contradictions(reference, artifact, {0: 2}, "fp32")
    assert [finding.layer for finding in found] == ["shift"]
    clean, _ = contradictions(reference, Network((one, ZERO, replace(CONV, step=None))), {0: 2}, "fp32")
    assert clean == []


def test_what_is_added_goes_into_the_bias_where_nothing_is_padded() -> None:
    summand = np.array([0.5, -1.0, 2.0])
    shift = Layer("shift", "shift", (8, 8, 3), (0,), bias=summand)
    bare = replace(CONV, step=None, padding=(0, 0, 0, 0))
    found = folded_input_scale(Network((SCALE, shift, bare)), FOLDED).layers
    assert found[2].reads == (IMAGE,)
    assert found[2].bias is not None
    assert found[1].bias is not None
    assert not found[1].bias.any()
    image = np.random.default_rng(1).normal(size=(3, 3, 3))
    assert found[2].weights is not None
    prepared = (WEIGHTS * (0.25 * image + summand)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose((found[2].weights * image).sum(axis=(1, 2, 3)) + found[2].bias, prepared)
    padded = folded_input_scale(Network((SCALE, shift, replace(bare, padding=AROUND))), FOLDED).layers
    assert padded[1].bias is summand
