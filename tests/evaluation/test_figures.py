"""What images show of a classifier, before its numbers are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.proportion import drop_points, wilson
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.figures import of_classes

N = 1000
LABELS = np.arange(N) % 4
REFERENCE = np.eye(4, dtype=np.float32)[LABELS]
REQUEST = CompareOutputs(
    artifact="net.int8.tflite",
    backend="litert",
    device="cpu",
    scheme="int8",
    head=Head.of_classes(4, "logits"),
    reference="",
    candidate="",
    labels=None,
    max_drop_pp=0.5,
    min_sqnr_db=None,
)


def with_lost(count: int) -> np.ndarray:
    candidate = REFERENCE.copy()
    candidate[4 * np.arange(count)] = [0, 1, 0, 0]  # of class 0
    return candidate


def test_with_labels_they_have_the_drop_and_the_class_that_loses() -> None:
    figures = of_classes(REFERENCE, with_lost(30), LABELS, REQUEST)
    by_hand = drop_points(N, 30, 0)
    assert (figures.drop, figures.lost, figures.gained) == (by_hand, 30, 0)
    assert (figures.top1, figures.reference_top1, figures.agreement) == (0.97, 1.0, 0.97)
    assert figures.agreement_ci95 == wilson(970, N)
    assert figures.finding.verdict == "fail"
    assert figures.on_chance is not None
    assert figures.on_chance.verdict == "pass"
    assert figures.worst is not None
    assert figures.worst.label == 0
    assert "class 0 loses more than chance explains" in figures.remarks[0]


@pytest.mark.parametrize(("lost", "verdict"), [(0, "pass"), (30, "fail"), (4, "inconclusive")])
def test_without_labels_they_have_the_answers_that_changed(lost: int, verdict: str) -> None:
    figures = of_classes(REFERENCE, with_lost(lost), None, REQUEST)
    assert (figures.finding.verdict, figures.drop, figures.on_chance, figures.worst) == (
        verdict,
        None,
        None,
        None,
    )
    assert figures.agreement == 1 - lost / N
