"""The limit of an artifact, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.roofline import Ceilings, Work, roofline

CEILINGS = Ceilings(
    float_gmacs=50.0, float_by="fma", int8_gmacs=200.0, int8_by="dot", gigabytes=10.0, cache_bytes=1 << 20
)
SMALL = 1000


def test_multiplying_counts_each_kind_at_its_own_rate() -> None:
    limit = roofline(Work(50_000_000, 200_000_000, SMALL), CEILINGS, 1, 4.0)
    assert limit is not None
    assert limit.limit_ms == pytest.approx(2.0)
    assert limit.share == pytest.approx(0.5)
    assert limit.bound == "multiplying"


def test_several_images_are_several_times_the_work() -> None:
    limit = roofline(Work(0, 200_000_000, SMALL), CEILINGS, 4, 8.0)
    assert limit is not None
    assert limit.limit_ms == pytest.approx(4.0)


def test_weights_that_the_cache_does_not_hold_are_read_each_time() -> None:
    large = Work(0, 1000, 100_000_000)
    limit = roofline(large, CEILINGS, 1, 20.0)
    assert limit is not None
    assert limit.limit_ms == pytest.approx(10.0)
    assert limit.bound == "reading weights"
    held = roofline(large, replace(CEILINGS, cache_bytes=200_000_000), 1, 20.0)
    assert held is not None
    assert held.bound == "multiplying"


@pytest.mark.parametrize(
    ("work", "ceilings"),
    [
        (Work(1, 0, 1), replace(CEILINGS, float_gmacs=None)),
        (Work(0, 1, 1), replace(CEILINGS, int8_gmacs=None)),
        (Work(0, 0, 0), CEILINGS),
    ],
)
def test_without_a_ceiling_or_work_there_is_no_limit(work: Work, ceilings: Ceilings) -> None:
    assert roofline(work, ceilings, 1, 1.0) is None


def test_a_ceiling_that_the_work_does_not_need_may_be_unknown() -> None:
    assert roofline(Work(0, 10**6, 1), replace(CEILINGS, float_gmacs=None), 1, 1.0) is not None
