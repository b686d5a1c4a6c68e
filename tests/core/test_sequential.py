"""When proofs may stop, and that stopping makes no verdict wrong more often."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sequential import Rates, changed, simulated
from resnet_edge.core.proportion import Z95, paired_drop, wilson
from resnet_edge.core.sequential import Looks, at_once, fewest, planned, quantile

RUNS = 2000


def above(allowed: float) -> float:
    """A fraction of RUNS that a true one of `allowed` passes once in 30,000 times."""
    return allowed + 4 * math.sqrt(allowed * (1 - allowed) / RUNS)


@given(st.integers(1, 200_000), st.floats(0.0005, 0.3))
def test_looks_begin_where_a_pass_can_be_and_double(n: int, limit: float) -> None:
    looks = planned(n, limit)
    assert looks.at[-1] == n
    assert [*looks.at] == sorted(set(looks.at))
    for now, then in zip(looks.at[:-2], looks.at[1:-1], strict=True):
        assert then == 2 * now
    if len(looks.at) > 1:
        assert looks.at[-2] <= n / 1.5 < 2 * looks.at[-2]
        assert paired_drop(looks.at[0], 0, 0, looks.z)[1] <= limit + 1e-12
        assert wilson(0, looks.at[0], looks.z)[1] <= limit + 1e-12


def test_the_first_look_is_no_later_than_it_must_be() -> None:
    looks = planned(10_000, 0.005)
    assert looks.at == (1242, 2484, 4968, 10_000)
    assert paired_drop(looks.at[0] - 1, 0, 0, looks.z)[1] > 0.005


@pytest.mark.parametrize(("n", "limit"), [(1000, 0.005), (10_000, 0.0), (1, 0.5)])
def test_where_nothing_can_be_gained_there_is_one_look_and_nothing_is_lost(n: int, limit: float) -> None:
    looks = planned(n, limit)
    assert looks == at_once(n)
    assert (looks.z, looks.confidence) == (Z95, 0.95)


def test_more_looks_take_wider_intervals() -> None:
    assert quantile(1) == Z95
    assert quantile(4) == pytest.approx(2.4977, abs=1e-4)  # of 1 - 0.05 / 4: scipy.stats.norm.isf(0.00625)
    assert fewest(0.005, Z95) == 765
    assert Looks(at=(10, 20)).confidence == pytest.approx(0.975)


@pytest.mark.parametrize("more", [0.0, 0.2, 5.0])
@pytest.mark.parametrize(("n", "limit"), [(10_000, 0.005), (3000, 0.02)])
def test_at_the_limit_verdicts_are_wrong_no_more_often_than_with_one_look(
    n: int, limit: float, more: float
) -> None:
    rates = Rates(lost=(1 + more) * limit, gained=more * limit)
    outcome = simulated(planned(n, limit), rates, limit, RUNS, 1)
    assert outcome.passed < above(0.025)
    assert outcome.failed < above(0.025)
    assert outcome.holds > 1 - above(0.05)


def test_without_the_correction_they_would_be() -> None:
    """The bounds above can fail: the same looks, each as if it were the only one."""

    class Uncorrected(Looks):
        z = Z95

    at, rates = planned(10_000, 0.005).at, Rates(lost=0.03, gained=0.025)
    outcome = simulated(Uncorrected(at=at), rates, 0.005, RUNS, 1)
    assert outcome.passed > above(0.025)
    assert outcome.holds < 1 - above(0.05)


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_without_labels_too(share: float) -> None:
    outcome = simulated(planned(3000, 0.02), Rates(lost=share * 0.02, gained=0), 0.02, RUNS, 1, changed)
    assert outcome.holds > 1 - above(0.05)
    if share == 1:
        assert outcome.passed < above(0.025)
        assert outcome.failed < above(0.025)


@pytest.mark.parametrize(
    ("rates", "most"), [((0.0, 0.0), 1242), ((0.0005, 0.0005), 2500), ((0.1, 0.02), 1242)]
)
def test_what_is_plain_is_decided_on_few_images(rates: tuple[float, float], most: int) -> None:
    looks = planned(10_000, 0.005)
    outcome = simulated(looks, Rates(lost=rates[0], gained=rates[1]), 0.005, RUNS, 1)
    assert outcome.passed + outcome.failed == 1
    assert looks.at[0] <= outcome.images <= most
