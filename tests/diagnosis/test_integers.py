"""What is told of integers beside verdicts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.results.execution import Execution
from resnet_edge.diagnosis.integers import IntegerChecks, Integers
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.progress import silent
from tests.diagnosis.judgements import IMAGES, ended, judged

JUDGED = judged()
EXECUTION = Execution(
    artifact="net.onnx",
    backend="onnxruntime",
    device="cpu",
    macs=100,
    stated_int8_macs=100,
    int8_macs=100,
    operators=(),
)


def test_a_silent_fallback_is_told_and_changes_no_verdict() -> None:
    """It shows in no answer, and costs time alone."""
    fell = replace(EXECUTION, int8_macs=60, in_float=("conv0", "conv3"))
    row = Integers((fell,), (), ()).beside(JUDGED).parity
    assert row.verdict == "pass"
    assert row.reasons[0] == "fine"
    assert row.reasons[1].startswith(
        "onnxruntime computes 40.0 % of what the file multiplies in integers in float"
    )
    assert "conv0 and 1 more layers" in row.reasons[1]


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(EXECUTION, int8_macs=0, backend="openvino"),
        replace(EXECUTION, int8_macs=0, artifact="other.onnx"),
        replace(EXECUTION, int8_macs=0, device="cuda"),
    ],
)
def test_what_ran_elsewhere_does_not_count(elsewhere: Execution) -> None:
    assert Integers((elsewhere,), (), ()).beside(JUDGED) == JUDGED


def checked(given: list[Judgement], logs: Path, *, emulates: bool = True) -> Integers:
    """What is found of these where no worker runs anything."""
    head = Head.of_classes(5, "logits")
    with ThreadPoolExecutor(1) as threads:
        checks = IntegerChecks(ended(logs), threads, IMAGES, None, head, silent)
        checks.start(given, emulates=emulates)
        return checks.integers()


def test_files_without_integers_are_not_looked_at(tmp_path: Path) -> None:
    given = [judged(scheme="fp32"), judged(scheme="fp16"), judged("net.keras")]
    assert checked(given, tmp_path) == Integers((), (), ())


@pytest.mark.parametrize(
    ("given", "emulates", "notes"),
    [
        ([judged("net.tflite", backend="litert")], True, 1),
        ([judged()], False, 1),
        ([judged()], True, 2),
        ([judged(), judged(backend="openvino")], True, 3),  # overflow is the file's, not the backend's
    ],
)
def test_what_could_not_be_looked_at_is_a_note_and_no_error(
    given: list[Judgement], emulates: bool, notes: int, tmp_path: Path
) -> None:
    result = checked(given, tmp_path, emulates=emulates)
    assert (result.executions, result.risks, len(result.notes)) == ((), (), notes)
    assert result.notes[0] == (
        "the integers of an artifact could not be looked into: integers: the run is over"
    )
