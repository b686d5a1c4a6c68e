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
    found = of_classes(REFERENCE, with_lost(30), LABELS, REQUEST)
    by_hand = drop_points(N, 30, 0)
    assert (found.drop, found.lost, found.gained) == (by_hand, 30, 0)
    assert (found.top1, found.reference_top1, found.agreement) == (0.97, 1.0, 0.97)
    assert found.agreement_ci95 == wilson(970, N)
    assert found.finding.verdict == "fail"
    assert found.on_chance is not None
    assert found.on_chance.verdict == "pass"
    assert found.worst is not None
    assert found.worst.label == 0
    assert "class 0 loses more than chance explains" in found.remarks[0]


@pytest.mark.parametrize(("lost", "verdict"), [(0, "pass"), (30, "fail"), (4, "inconclusive")])
def test_without_labels_they_have_the_answers_that_changed(lost: int, verdict: str) -> None:
    found = of_classes(REFERENCE, with_lost(lost), None, REQUEST)
    assert (found.finding.verdict, found.drop, found.on_chance, found.worst) == (verdict, None, None, None)
    assert found.agreement == 1 - lost / N
