from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_edge.graph.quantization.int8_rows import int8_rows
from tests.graph.quantization.test_pair_bound import sums_beyond_16_bits

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 40))
SPREADS = ("normal", "uniform", "positive", "sparse", "wild")


def drawn(shape: tuple[int, int], spread: str, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    rows = {
        "normal": random.normal(size=shape),
        "uniform": random.uniform(-1, 1, shape),
        "positive": random.uniform(0.8, 1, shape),
        "sparse": random.normal(size=shape) * (random.random(shape) > 0.7),
        "wild": np.exp(6 * random.normal(size=shape)),
    }[spread]
    return rows.astype(np.float32)


@settings(max_examples=200)
@given(SHAPES, st.sampled_from(SPREADS), st.integers(0, 2**20))
def test_no_pair_overflows_and_no_weight_goes_astray(shape: tuple[int, int], spread: str, seed: int) -> None:
    rows = drawn(shape, spread, seed)
    rounded = int8_rows(rows, paired=True)
    assert not sums_beyond_16_bits(rounded.integers).any()
    assert np.abs(rounded.integers).max() <= 127
    assert (rounded.values * rows >= 0).all()
    np.testing.assert_array_equal(rounded.values[rows == 0], 0)
    assert (np.abs(rounded.values - rows).max(axis=1) <= 0.501 * np.abs(rows).max(axis=1)).all()


@settings(max_examples=100)
@given(SHAPES, st.sampled_from(SPREADS), st.integers(0, 2**20), st.booleans())
def test_rows_on_their_grid_stay_as_they_are(
    shape: tuple[int, int], spread: str, seed: int, paired: bool
) -> None:
    values = int8_rows(drawn(shape, spread, seed), paired=True).values
    again = int8_rows(values, paired=paired)
    np.testing.assert_allclose(again.values, values, rtol=1e-5)


@given(SHAPES, st.sampled_from(SPREADS), st.integers(0, 2**20))
def test_rows_that_are_not_paired_are_rounded_to_the_nearest(
    shape: tuple[int, int], spread: str, seed: int
) -> None:
    rows = drawn(shape, spread, seed)
    rounded = int8_rows(rows, paired=False)
    assert (np.abs(rounded.values - rows) <= 0.501 * rounded.steps[:, None]).all()


def test_only_rows_at_risk_pay() -> None:
    calm, risky = [1.0, -0.8317, 0.3113, 0.1179], [1.0, 0.8317, 0.3113, 0.1179]
    rounded = int8_rows(np.array([calm, risky, [0.0] * 4], np.float32), paired=True)
    assert rounded.plain.tolist() == [True, False, True]
    assert np.abs(rounded.integers[0]).max() == 127
    assert rounded.steps[2] == 0


@pytest.mark.parametrize("taps", [9, 576, 2304])
def test_what_is_lost_is_less_than_with_scaling_or_seven_bits(taps: int) -> None:
    """In wide rows few pairs are at risk, and only they are cut; sums come out as they were."""
    rows = np.random.default_rng(0).normal(size=(64, taps)).astype(np.float32)
    paired, plain = int8_rows(rows, paired=True), int8_rows(rows, paired=False)
    lost = [float(np.square(each.values - rows).sum()) for each in (paired, plain)]
    even = np.abs(np.pad(plain.integers, ((0, 0), (0, taps % 2))).reshape(64, -1, 2).sum(axis=2)).max(axis=1)
    scaled = float((np.square(plain.values - rows).sum(axis=1) * np.square(np.maximum(even / 128, 1))).sum())
    assert lost[1] < lost[0] < min(scaled, 4 * lost[1])
    sums = np.abs((paired.values - rows).sum(axis=1) / paired.steps)
    assert np.median(sums) <= 0.5


def test_large_kernels_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = drawn((30, 20), "normal", 3)
    whole = int8_rows(rows, paired=True)
    monkeypatch.setattr("resnet_edge.graph.quantization.int8_rows.AT_ONCE", 50)
    parts = int8_rows(rows, paired=True)
    np.testing.assert_array_equal(parts.integers, whole.integers)
    np.testing.assert_array_equal(parts.steps, whole.steps)


@settings(max_examples=100)
@given(SHAPES, st.sampled_from(SPREADS), st.integers(0, 2**20), st.booleans())
def test_one_step_for_all_rows(shape: tuple[int, int], spread: str, seed: int, paired: bool) -> None:
    rows = drawn(shape, spread, seed)
    rounded = int8_rows(rows, paired=paired, alike=True)
    assert len(set(rounded.steps.tolist())) == len(set(rounded.plain.tolist())) == 1
    assert not (paired and sums_beyond_16_bits(rounded.integers).any())
    assert (np.abs(rounded.values - rows).max() <= 0.501 * np.abs(rows).max()).all()
    again = int8_rows(rounded.values, paired=paired, alike=True)
    np.testing.assert_allclose(again.values, rounded.values, rtol=1e-6)
