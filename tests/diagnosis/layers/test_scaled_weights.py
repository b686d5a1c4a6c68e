"""Factors of channels, told by weights alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.scaled_weights import shown_scales
from tests.diagnosis.layers.layer_links import Real, link, on_grid

FIRST, SECOND, THIRD = 1, 2, 3
GROUPS = [[FIRST], [SECOND]]


def chain(
    factors: Real, *, maker: float = 1.0, reader: float = 1.0, bias: bool = True, rounded: bool = True
) -> dict[int, Real]:
    """What is told of the first of three layers, of which the first makes channels `factors` times as large
    and the second divides them again; `maker` and `reader` make their weights wrong."""
    random = np.random.default_rng(1)
    kernels = [random.normal(size=shape) for shape in ((8, 3, 3, 4), (6, 3, 3, 8), (5, 1, 1, 6))]
    biases = [random.normal(size=len(kernel)) for kernel in kernels]
    stored = [
        kernels[0] * factors.reshape(-1, 1, 1, 1) * maker,
        kernels[1] / factors.reshape(1, 1, 1, -1) * reader,
        kernels[2],
    ]
    held = [biases[0] * factors, biases[1], biases[2]]
    reads = (None, FIRST, SECOND)
    links = [
        link(
            gives=number + 1,
            reads=reads[number],
            theirs=(kernels[number], biases[number] if bias else None),
            ours=(
                on_grid(stored[number]) if rounded else (stored[number], 0.0),
                held[number] if bias else None,
            ),
        )
        for number in range(3)
    ]
    return {tensor: scale.factors for tensor, scale in shown_scales(links, GROUPS, {}).items()}


FACTORS: NDArray[np.float64] = np.geomspace(1, 4, 8)


@pytest.mark.parametrize("rounded", [False, True])
def test_factors_that_are_undone_are_told(rounded: bool) -> None:
    factors = chain(FACTORS, rounded=rounded)
    np.testing.assert_allclose(factors[FIRST], FACTORS, rtol=5e-3 if rounded else 1e-9)
    assert (factors[SECOND] == 1).all()


def test_nothing_is_told_of_channels_that_were_not_scaled() -> None:
    factors = chain(np.ones(8))
    assert (factors[FIRST] == 1).all()


@pytest.mark.parametrize(("maker", "reader"), [(1.1, 1.0), (1.0, 1.1)])
def test_a_scale_that_is_wrong_in_one_place_is_no_factor(maker: float, reader: float) -> None:
    """The layer that makes the channels, the one that reads them, and the bias: two of three are right."""
    factors = chain(FACTORS, maker=maker, reader=reader)
    np.testing.assert_allclose(factors[FIRST], FACTORS, rtol=2e-2)


def test_without_biases_the_two_sides_share_the_blame() -> None:
    factors = chain(FACTORS, maker=1.2, bias=False)
    assert (factors[FIRST] > 1.05 * FACTORS).all()
    assert (factors[FIRST] < 1.15 * FACTORS).all()


def test_what_no_layer_tells_for_sure_is_told_by_the_values() -> None:
    """Three tensors of which none is known to be as it was: weights leave one number open for all."""
    random = np.random.default_rng(2)
    kernels = [random.normal(size=(8, 3, 3, 8)) for _ in range(2)]
    scaled = [np.ones(8), FACTORS, np.ones(8)]
    links = [
        link(
            gives=number + 1,
            reads=number,
            theirs=(kernel, None),
            ours=(on_grid(kernel * scaled[number + 1].reshape(-1, 1, 1, 1) / scaled[number]), None),
        )
        for number, kernel in enumerate(kernels)
    ]
    looks = {number: factors * random.normal(1, 0.01, 8) for number, factors in enumerate(scaled)}
    scales = shown_scales(links, [[0], [1], [2]], looks)
    np.testing.assert_allclose(scales[1].factors, FACTORS, rtol=1e-2)
