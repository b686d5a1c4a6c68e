"""The search of conversion/mixed_precision.py; tests/cli/test_convert_plan.py runs it whole."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from resnet_edge.conversion.mixed_precision import MOST_CHOICES, first_that_passes, missed, thinned
from resnet_edge.conversion.mixed_precision_task import FloatChoice
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.scheduler import Evaluation
from resnet_edge.evaluation.verdict import Judgement


@pytest.mark.parametrize("count", [1, 2, 3, 10, MOST_CHOICES])
def test_the_first_that_passes_is_found_with_few_trials(count: int) -> None:
    for first in range(1, count + 1):
        tried: list[int] = []

        def passes(number: int, first: int = first, tried: list[int] = tried) -> bool:
            tried.append(number)
            return number >= first

        assert first_that_passes(count, passes) == (first if first < count else None)
        assert len(tried) <= 6
        assert 0 not in tried, "plain int8 is known to fail"
        assert len(set(tried)) == len(tried)


def test_where_nothing_passes_the_last_was_tried() -> None:
    tried: list[int] = []

    def fails(number: int) -> bool:
        tried.append(number)
        return False

    assert first_that_passes(20, fails) is None
    assert tried[-1] == 19


def test_many_choices_are_thinned_evenly_with_both_ends() -> None:
    many = [FloatChoice(tuple(map(str, range(n))), 1 - n / 400, 30 + n) for n in range(200)]
    few = thinned(many, 63)
    assert len(few) == 63
    assert (few[0], few[-1]) == (many[0], many[-1])
    gaps = {len(b.float_layers) - len(a.float_layers) for a, b in zip(few, few[1:], strict=False)}
    assert gaps <= {3, 4}
    assert thinned(many[:5], 63) == many[:5]


def judged(verdict: Verdict, sqnr_db: float | None) -> Judgement:
    artifact = Artifact(
        path="a.int8.tflite", format="tflite", scheme="int8", size_bytes=1, sha256="", inputs=(), outputs=()
    )
    job = Job(
        format="tflite",
        scheme="int8",
        suffix=".tflite",
        needs_calibration=True,
        min_sqnr_db=20.0,
        targets=(Target("litert", "cpu"),),
    )
    parity = Parity(
        artifact="a",
        backend="litert",
        device="cpu",
        n=9,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=None,
        max_abs=None,
        sqnr_db=sqnr_db,
        verdict=verdict,
        reasons=("reason",),
    )
    return Judgement(
        Evaluation(artifact=artifact, job=job, target=job.targets[0], outputs=Future()), "a.npy", parity
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("fail", 12.0), ("fail", 12.0)], True),
        ([("pass", 30.0), ("fail", 12.0)], True),
        ([("pass", 30.0), ("inconclusive", 30.0)], False),  # more images tell, not fewer integers
        ([("fail", None), ("fail", 12.0)], False),  # NaN, or always the same class
        ([], False),
    ],
)
def test_a_plan_is_for_artifacts_that_are_sound_and_fail(
    rows: list[tuple[Verdict, float | None]], expected: bool
) -> None:
    assert missed([judged(*row) for row in rows]) is expected
