"""Tests of searching.standing, on outcomes by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.searching.request import SearchLimits
from resnet_edge.searching.standing import certainly_missed, values_of, violations_of
from tests.searching.test_selection import MODEL, outcome


def test_only_what_is_certain_speaks_against_a_trial() -> None:
    limits = SearchLimits(max_drop_pp=1, max_latency_ms=1.4)
    assert certainly_missed(outcome(0, 24, 0.7), limits, MODEL) == []  # 1.2 pp, at least 0.8
    assert certainly_missed(outcome(0, 40, 0.75), limits, MODEL) == [
        "it takes at least 1.48 ms, and --max-latency is 1.4",
        "it loses at least 1.47 pp on 2,000 images, and --max-drop is 1",
    ]


def test_the_sampler_hears_the_best_estimates() -> None:
    limits = SearchLimits(max_drop_pp=1, max_size=900)
    one = outcome(0, 24, 0.7)
    assert values_of(one, MODEL, ("accuracy", "latency", "size")) == (1.2, 0.7, 1000)
    assert violations_of(one, limits, MODEL) == pytest.approx({"max_drop_pp": 0.2, "max_size": 100})
    early = replace(one, n=0, right="")
    assert values_of(early, MODEL, ("accuracy",)) is None
    assert violations_of(early, limits, MODEL)["max_drop_pp"] == 0
