from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.preprocessing import PRESETS, Preprocessing
from resnet_edge.core.results.report import Failure, Report
from resnet_edge.report import summary


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ordinary", "passed"),
        ("troubled", "failed"),
        ("unlabelled", "inconclusive"),
        ("nothing", "incomplete"),
        ("single", "passed"),
    ],
)
def test_verdict(name: str, word: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    assert summary.verdict(report).word == word
    assert (word == "passed") is report.passed


def test_a_failure_beside_good_proofs_is_incomplete(ordinary: Report) -> None:
    report = replace(ordinary, failures=(Failure("int16x8 ONNX", "not offered"),))
    assert summary.verdict(report).word == "incomplete"


def test_verdict_sentences_count(ordinary: Report, troubled: Report, single: Report) -> None:
    assert (
        summary.verdict(ordinary).sentence
        == "All 8 artifacts passed: top-1 stays within 0.5 pp of resnet20, tested on 10,000 images."
    )
    assert summary.verdict(single).sentence.startswith("The artifact passed")
    assert summary.verdict(troubled).sentence == (
        "Of 9 artifacts: 1 failed, 1 inconclusive, 1 not verified, 6 passed. "
        "1 thing asked for could not be done. The 10,000 images prove that the inconclusive file loses at "
        "most 0.6 pp (--max-drop 0.6); 0.5 pp takes about 48,000 images."
    )


def test_images_are_called_unlabelled_only_where_they_are(ordinary: Report, unlabelled: Report) -> None:
    phrase = "The images have no labels"
    assert phrase in summary.verdict(unlabelled).sentence
    # The sentinel stops before any top-1 is measured.
    stopped = [replace(row, verdict="inconclusive", top1=None, drop_pp=None) for row in ordinary.parity]
    assert phrase not in summary.verdict(replace(ordinary, parity=tuple(stopped))).sentence


def test_every_row_that_did_not_pass_has_a_reason(troubled: Report) -> None:
    unsure = replace(troubled.parity[3], drop_ci95_pp=(0.1, 0.4))  # within the limit: it is not their number
    parity = (*troubled.parity[:3], unsure, *troubled.parity[4:])
    reasons = dict(summary.troubles(replace(troubled, parity=parity)))
    assert reasons["resnet20.int8.tflite on litert cpu: inconclusive"] == [
        "About 48,000 images would decide it; there were 10,000."
    ]
    assert len(reasons) == 3
    assert all(reasons.values())


def test_the_samples_needed_are_not_told_twice(troubled: Report) -> None:
    reason = "48,000 images would decide it."
    parity = tuple(
        replace(row, reasons=(reason,), drop_ci95_pp=(0.1, 0.4)) if row.samples_needed else row
        for row in troubled.parity
    )
    reasons = dict(summary.troubles(replace(troubled, parity=parity)))
    assert reasons["resnet20.int8.tflite on litert cpu: inconclusive"] == [reason]


@pytest.mark.parametrize(
    ("how", "phrase"),
    [
        (PRESETS["model"], "Give raw pixels, 0 to 255. The Keras model does its own"),
        (
            PRESETS["caffe"],
            "inside the graph: value = pixel × 1 + (-103.939, -116.779, -123.68), channels in BGR order",
        ),
        (PRESETS["none"], "Preprocessing is not inside: give what the Keras model takes."),
        (
            Preprocessing(name="mine", where="caller", scale=(1 / 255,)),
            "Preprocessing (mine) is not inside; apply it first",
        ),
    ],
)
def test_feeding(how: Preprocessing, phrase: str, ordinary: Report) -> None:
    report = replace(ordinary, model=replace(ordinary.model, preprocessing=how))
    assert phrase in " ".join(summary.feeding(report))


def test_command_is_quoted_for_the_shell(ordinary: Report, troubled: Report) -> None:
    assert summary.command(ordinary) == "resnet-edge convert --out 'my dist'"
    assert summary.command(replace(ordinary, machine={})) is None


def test_choice_of_ranges_is_told_with_what_else_was_tried(ordinary: Report) -> None:
    plain = {"calibrator": "minmax", "repairs": [], "sqnr_db": 34.84}
    chosen = {"calibrator": "mse", "repairs": ["round", "equalize"], "sqnr_db": 37.12}
    calibration = {
        "source": "bundled",
        "n": 500,
        **chosen,
        "judged": 256,
        "tried": [plain, chosen],
        "skipped": [],
    }
    facts = dict(summary.data_facts(replace(ordinary, calibration=calibration)))
    assert facts["Calibration"] == "source: bundled; n: 500"
    assert facts["Ranges"] == (
        "mse with weights rounded together and channels equalized: 37.1 dB, judged on 256 calibration images"
    )
    assert facts["Also tried"] == "minmax: 34.8 dB"
    alone = {**calibration, **plain, "tried": [plain]}
    assert "Also tried" not in dict(summary.data_facts(replace(ordinary, calibration=alone)))


def test_report_without_a_choice_says_nothing_of_it(ordinary: Report) -> None:
    assert "Ranges" not in dict(summary.data_facts(ordinary))
