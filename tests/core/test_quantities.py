"""Times and sizes that users write."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.core.quantities import bytes_of, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("2m", 120), ("1.5h", 5400), ("30", 30), (" 250 ms ", 0.25), (".5s", 0.5)],
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "0s", "-1s", "1d", "1e3s", "s", "1 2s", "9" * 400])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no time: give a time, as in 90s or 2m"):
        seconds_of(text)


def test_a_unit_is_asked_for_where_none_is_meant() -> None:
    assert seconds_of("3ms", example="3ms", unit="") == 0.003
    with pytest.raises(UsageError, match="'3' is no time: give a time, as in 3ms"):
        seconds_of("3", example="3ms", unit="")


@pytest.mark.parametrize(
    ("text", "size"),
    [("500", 500), ("300kB", 300_000), ("1.5MB", 1_500_000), ("1mib", 1 << 20), ("2 GB", 2_000_000_000)],
)
def test_sizes(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "small", "0", "0.3B", "-1kB", "1TBs", "1kbit"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is no size: give a size, as in 300kB"):
        bytes_of(text)
