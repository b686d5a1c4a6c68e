"""How many images are affordable."""

from __future__ import annotations

import pytest

from resnet_edge.core.affordable import images_within


@pytest.mark.parametrize(
    ("work", "macs", "images"),
    [
        (1e9, 10**7, 100),
        (1e9, 3 * 10**7, 33),
        (10**9, 10**6, 128),
        (1e9, 10**9, 8),
        (1e9, None, 128),
        (1e9, 0, 128),
    ],
)
def test_as_many_as_the_work_allows_within_the_limits(work: float, macs: int | None, images: int) -> None:
    assert images_within(work, macs, 8, 128) == images


def test_without_a_limit_as_many_as_the_work_allows() -> None:
    assert images_within(1e9, 1000, 8) == 10**6
