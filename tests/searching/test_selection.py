"""Tests of search.selection, on outcomes by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.conversion.one_artifact import FloatGraph
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutOfReach
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.artifacts import SearchArtifact
from resnet_edge.searching.comparison import PointComparison
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import SearchLimits
from resnet_edge.searching.selection import Selecting
from resnet_edge.searching.standing import Baseline

N = 2000
ALL = (1 << N) - 1
FACTS = ModelFacts(
    name="net",
    source="net.keras",
    sha256="",
    parameters=1,
    macs=1,
    input_shape=(28, 28, 1),
    head=Head.of_classes(10, "logits"),
    class_names=(),
    preprocessing=PRESETS["none"],
)
FILE = Artifact(
    path=str(Path("net.tflite")),
    format="tflite",
    scheme="fp32",
    size_bytes=1000,
    sha256="",
    inputs=(),
    outputs=(),
)
MODEL = Baseline(
    file=SearchArtifact(artifact=FILE, download_bytes=900, graph=FloatGraph(facts=FACTS, portable="")),
    p50_ms=2.0,
    bits=ALL,
)
ANY = SearchLimits()
COMPARISON = PointComparison(objectives=("accuracy", "latency", "size"), equal_pp=0.5, equal_latency=0.05)


def outcome(number: int, lost: int = 0, latency: float = 1.0, size: int = 1000, **more: object) -> Outcome:
    """Wrong on the first `lost` images."""
    plain = Outcome(
        number=number,
        configuration=Configuration(scheme="fp32", amount=number / 100, pruning="channel"),
        state="complete",
        n=N,
        right=f"{ALL >> lost << lost:x}",
        latency_ratio=latency,
        latency_ratio_ci95=(0.99 * latency, 1.01 * latency),
        size_bytes=size,
        download_bytes=size,
        sha256=f"{number}",
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of it


def chosen(*outcomes: Outcome, limits: SearchLimits = ANY) -> list[int]:
    return [one.number for one in Selecting(limits, COMPARISON, MODEL).chosen(outcomes)]


def test_what_is_beaten_leaves() -> None:
    assert chosen(outcome(0), outcome(1, latency=0.5), outcome(2, latency=0.5, size=2000)) == [1]


def test_what_ended_early_is_not_shown() -> None:
    assert chosen(outcome(0), outcome(1, size=10, state="failed")) == [0]


def test_of_the_same_file_the_simplest_recipe_is_shown() -> None:
    plain = Configuration(scheme="int8")
    by_mse = replace(plain, calibrator="mse")
    first = outcome(1, sha256="a", configuration=by_mse)
    assert chosen(first, outcome(2, sha256="a", configuration=plain)) == [2]


@pytest.mark.parametrize(
    ("limits", "stays"),
    [
        (SearchLimits(max_drop_pp=1), [0, 2]),  # of the second 2 pp are gone, of the third half a point
        (SearchLimits(max_latency_ms=1.5), [1, 2]),
        (SearchLimits(max_size=700), [1]),
        (SearchLimits(max_download=700), [1]),
    ],
)
def test_what_misses_a_limit_beyond_chance_is_not_shown(limits: SearchLimits, stays: list[int]) -> None:
    ones = (outcome(0), outcome(1, 40, 0.5, 500), outcome(2, 10, 0.7, 800))
    assert chosen(*ones, limits=limits) == stays


def test_where_nothing_is_within_the_limits_the_nearest_is_named() -> None:
    ones = (outcome(0), outcome(1, 40, 0.5, 500), outcome(2, 10, 0.7, 800))
    with pytest.raises(OutOfReach) as caught:
        chosen(*ones, limits=SearchLimits(max_size=450))
    assert "none of 3 trials meets the limits; the nearest is trial 1" in str(caught.value)
    assert "its file has 500 bytes, and --max-size is 450" in str(caught.value)


def test_where_nothing_could_be_measured_the_first_reason_is_said() -> None:
    failed = Outcome(number=0, configuration=Configuration(scheme="fp32"), state="failed", reason="no room")
    with pytest.raises(OutOfReach, match="none of 1 trials could be measured; trial 0: no room"):
        chosen(failed)


def test_a_report_has_the_drop_with_its_interval() -> None:
    screened = Selecting(SearchLimits(), COMPARISON, MODEL).screened(outcome(3, 24))
    assert screened.drop_pp == pytest.approx(1.2)
    low, high = screened.drop_ci95_pp or (0, 0)
    assert low < 1.2 < high


def test_a_budget_that_ended_before_the_first_trial_is_named() -> None:
    with pytest.raises(OutOfReach, match="--budget was over before the first trial began: give more time"):
        chosen()
