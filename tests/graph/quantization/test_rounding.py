from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.graph.quantization.moments import Moments
from resnet_edge.graph.quantization.pair_bound import overflowing_pairs
from resnet_edge.graph.quantization.rounding import PATCHES_PER_TAP, can_round, enough, rounded_together, work
from resnet_edge.graph.quantization.weighted import Layer


def layer(rows: NDArray[np.floating]) -> Layer:
    """A convolution of single pixels: each row has a step of its own."""
    return Layer(
        index=0,
        op="CONV_2D",
        source="in",
        output="out",
        kernel=rows.astype(np.float32)[:, None, None],
        bias=None,
        options={},
    )


def dense(rows: NDArray[np.floating]) -> Layer:
    """All rows have one step."""
    return Layer(
        index=0,
        op="FULLY_CONNECTED",
        source="in",
        output="out",
        kernel=rows.astype(np.float32),
        bias=None,
        options={},
        one_step=True,
    )


def case(taps: int = 24, outputs: int = 16) -> tuple[Layer, NDArray[np.float64], NDArray[np.float64]]:
    """A layer, inputs as they lie behind a ReLU (correlated, with a mean), their second moments."""
    random = np.random.default_rng(4)
    inputs = np.maximum(random.normal(size=(4000, 5)) @ random.normal(size=(5, taps)) + 0.3, 0)
    return layer(random.normal(size=(outputs, taps))), inputs, inputs.T @ inputs / len(inputs)


def noise(one: Layer, rows: NDArray[np.floating], inputs: NDArray[np.float64]) -> float:
    return float(np.square((rows.astype(np.float64) - one.rows) @ inputs.T).mean())


def test_outputs_err_far_less_than_with_weights_rounded_one_by_one() -> None:
    one, inputs, second = case()
    assert noise(one, rounded_together(one, second), inputs) < noise(one, one.rounded(), inputs) / 4


def test_rows_are_on_the_grid_that_the_quantizer_finds_again() -> None:
    one, _, second = case()
    rows = rounded_together(one, second)
    assert rows.dtype == np.float32
    again = layer(rows)
    np.testing.assert_allclose(again.rounded(), rows, rtol=1e-6)
    integers = np.rint(rows / again.steps[:, None])
    np.testing.assert_allclose(rows / again.steps[:, None], integers, atol=1e-4)
    assert not overflowing_pairs(integers).any()


def test_no_pair_overflows_however_much_is_made_up_for() -> None:
    """Weights that are all large and of one sign, whose errors all fall to the last."""
    inputs = np.random.default_rng(1).random((500, 1)) @ np.ones((1, 7)) + 0.01
    one = layer(np.random.default_rng(2).uniform(0.7, 1, (40, 7)))
    rows = rounded_together(one, inputs.T @ inputs)
    steps = layer(rows).steps[:, None]
    assert not overflowing_pairs(np.rint(rows / steps)).any()
    assert np.abs(rows - one.rows).max() < 0.5


def test_weights_that_are_not_added_in_pairs_keep_their_full_scale() -> None:
    one, _, second = case()
    apart = replace(one, paired=False)
    integers = np.rint(rounded_together(apart, second) / apart.steps[:, None])
    assert overflowing_pairs(integers).any()
    assert (np.abs(integers).max(axis=1) >= 126).all()


@pytest.mark.parametrize("taps", [24, 25])
def test_rows_of_a_dense_layer_are_rounded_together_on_one_step(taps: int) -> None:
    one, inputs, second = case(taps)
    whole = dense(one.rows)
    rows = rounded_together(whole, second)
    again = dense(rows)
    assert len(set(again.steps.tolist())) == 1
    np.testing.assert_allclose(again.rounded(), rows, rtol=1e-6)
    assert not overflowing_pairs(np.rint(rows / again.steps[:, None])).any()
    assert noise(whole, rows, inputs) < noise(whole, whole.rounded(), inputs)


def test_independent_inputs_leave_nothing_to_make_up_for() -> None:
    one = replace(case()[0], paired=False)
    np.testing.assert_allclose(rounded_together(one, np.eye(24)), one.rounded(), rtol=1e-6)


def test_a_weight_that_was_pruned_stays_zero_and_the_others_make_up_for_it() -> None:
    one, inputs, second = case()
    rows = one.rows * (np.random.default_rng(5).random(one.rows.shape) > 0.5)
    sparse = layer(rows)
    rounded = rounded_together(sparse, second)
    np.testing.assert_array_equal(rounded[rows == 0], 0)
    assert noise(sparse, rounded, inputs) < 0.8 * noise(sparse, sparse.rounded(), inputs)


def test_row_of_zeros_and_inputs_of_zeros_stay_finite() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4))
    rows[1] = 0
    rounded = rounded_together(layer(rows), np.zeros((4, 4)))
    np.testing.assert_allclose(rounded, layer(rows).rounded(), rtol=1e-6)
    assert not rounded[1].any()


@pytest.mark.parametrize(("patches", "yes"), [(4 * PATCHES_PER_TAP, True), (4 * PATCHES_PER_TAP - 1, False)])
def test_too_few_patches_are_not_enough(patches: int, yes: bool) -> None:
    moments = Moments(dense(np.ones((2, 4))), wants_second=True)
    moments.add(np.ones((patches, 4), np.float32), (1, 1), np.random.default_rng(0), 1)
    assert enough(moments) == yes


def test_work_and_kinds() -> None:
    one = layer(np.ones((5, 10)))
    assert work([one, one]) == 2 * 5 * 100
    depthwise = Layer(
        index=0,
        op="DEPTHWISE_CONV_2D",
        source="a",
        output="b",
        kernel=np.ones((1, 3, 3, 8), np.float32),
        bias=None,
        options={},
    )
    assert not can_round(depthwise)
    assert can_round(one)
    assert not can_round(layer(np.ones((2, 5000))))
