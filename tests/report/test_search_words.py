"""A search in sentences."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.report.search_words import (
    equal_words,
    figures_of,
    limits,
    trial_counts,
    unproved_for,
    why_left,
)
from tests.report.searches import POINTS, RESULT


def test_limits_have_their_units() -> None:
    assert limits(RESULT) == "drop at most 5 pp, latency at most 3.00 ms"
    sizes = replace(RESULT, limits={"max_size": 1_000_000.0, "max_download": 900.0})
    assert limits(sizes) == "file size at most 1.00 MB, download at most 900 B"
    assert limits(replace(RESULT, limits={})) == ""


def test_trials_are_counted_by_why_they_left() -> None:
    assert trial_counts(RESULT) == (
        "30 trials: 5 looked at on all images, 19 worse than others, 3 beyond a limit, 3 failed"
    )
    few = replace(RESULT, trials=RESULT.trials[3:4])
    assert trial_counts(few) == "1 trial: 1 looked at on all images"


def test_which_images_the_figures_are_of() -> None:
    assert figures_of(RESULT) == (
        "5,000 images chose among 9 candidates; every figure of a point is of 5,000 other images, which no "
        "trial saw."
    )


def test_each_set_of_equal_points_is_said_once() -> None:
    assert equal_words(RESULT) == ["Points 3 and 8 cannot be told apart: take the easier one."]
    three = tuple(replace(p, equal_to=tuple({3, 8, 14} - {p.number})) for p in POINTS[:3])
    assert equal_words(replace(RESULT, points=three)) == [
        "Points 3, 8 and 14 cannot be told apart: take the easier one."
    ]
    assert equal_words(replace(RESULT, points=POINTS[2:])) == []


def test_why_a_trial_left() -> None:
    assert why_left(RESULT.trials[6]) == "a drop of 5.4 pp or more, for sure"
    assert why_left(replace(RESULT.trials[6], reason="")) == "beyond a limit"
    assert why_left(RESULT.trials[3]) == "not on the frontier"


def test_a_proof_is_beside_the_points_own_network() -> None:
    """Whose drop against the model is another figure. A remark decides nothing, and is not said."""
    small = replace(POINTS[4], reasons=("the top-1 drop is 0.00 pp (-1.2 to 1.2)", "SQNR 40.2 dB"))
    assert unproved_for(small) == "beside its own network, the top-1 drop is 0.00 pp (-1.2 to 1.2)"
    plain = replace(small, configuration=POINTS[0].configuration)
    assert unproved_for(plain) == "the top-1 drop is 0.00 pp (-1.2 to 1.2)"
    bare = replace(plain, reasons=(), samples_needed=900, n=100)
    assert unproved_for(bare) == "its proof on 100 images is inconclusive; 900 images would decide"
