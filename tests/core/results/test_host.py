"""Clocks of two machines."""

from __future__ import annotations

import pytest

from resnet_edge.core.results.host import LARGEST_SKEW_SECONDS, clock_note
from tests.hosts.pythons import state


@pytest.mark.parametrize("ahead", [0.0, LARGEST_SKEW_SECONDS, -LARGEST_SKEW_SECONDS])
def test_a_few_minutes_are_not_worth_a_word(ahead: float) -> None:
    assert clock_note(state(clock_ahead_seconds=ahead)) == ""


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(600.0, "10 minutes ahead of"), (-181.0, "3 minutes behind"), (-9e8, "250,000.0 hours behind")],
)
def test_more_is_told(ahead: float, words: str) -> None:
    assert f"the clock of pi4 is {words} this machine's" in clock_note(state(clock_ahead_seconds=ahead))
