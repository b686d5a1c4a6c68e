"""The model's lineage in a report: nothing is compared that was not measured alike."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.report.contract import encode
from resnet_edge.report.lineage import apart, entries, speed_up
from resnet_edge.report.lineage_table import explained, lineage_table
from tests.report.conftest import EVIL, FILES, state
from tests.report.rendered import markdown, page


def test_from_the_base_to_every_artifact(compressed: Report) -> None:
    lineage = entries(compressed)
    assert [entry.title for entry in lineage[:4]] == [
        "train: resnet20, 45 epochs",
        "prune: channels pruned to 0.50 of the MACs",
        "qat: 8 bits, 3 epochs",
        "fp32 tflite, litert cpu",
    ]
    assert len(lineage) == 3 + len(FILES)
    assert [entry.macs for entry in lineage] == [40_800_000, *[20_300_000] * (2 + len(FILES))]
    assert not apart(lineage)
    int8 = next(entry for entry in lineage if entry.title == "int8 tflite, litert cpu")
    assert (int8.size_bytes, int8.gzip_bytes, int8.p50_ms) == (318_000, 254_400, 0.884)
    assert int8.top1 == pytest.approx(0.9409)
    low, high = int8.top1_ci95 or (0, 0)
    assert (low, high) == pytest.approx((0.93610, 0.94536), abs=1e-5)  # Wilson, 9,409 of 10,000


def test_accuracies_on_other_images_are_told_apart(compressed: Report) -> None:
    train, prune, _ = compressed.history
    # Pruned with images of one's own: the base was measured on them again.
    own = replace(prune, before=state(0.93, 40_800_000, "own"), after=state(0.92, 20_300_000, "own"))
    report = replace(compressed, history=(train, own))
    lineage = entries(report)
    assert [entry.title for entry in lineage[:5]] == [
        "train: resnet20, 45 epochs",
        "the same, before prune",
        "prune: channels pruned to 0.50 of the MACs",
        "the same, in this run",
        "fp32 tflite, litert cpu",
    ]
    assert [entry.top1 for entry in lineage[:4]] == [0.9474, 0.93, 0.92, 0.9412]
    assert apart(lineage)
    table = lineage_table(report)
    assert table is not None
    assert table.header[-1] == "Images"
    assert table.numbers == range(1, len(table.header) - 1)
    assert [row[-1] for row in table.body[:5]] == ["set 1", "set 2", "set 2", "set 1", "set 1"]
    assert explained(report)[0] == (
        "Top-1 can be compared only within one set of images: "
        "set 1: 10,000 test images; set 2: 10,000 test images."
    )


def test_images_that_are_only_called_the_same_are_not_taken_for_the_same(compressed: Report) -> None:
    last = compressed.history[-1]
    unknown = replace(last, after=replace(last.after, images_sha256=""))
    assert apart(entries(replace(compressed, history=(*compressed.history[:-1], unknown))))


def test_the_story_begins_with_what_came_before_the_first_step(compressed: Report) -> None:
    lineage = entries(replace(compressed, history=compressed.history[1:]))
    assert [entry.title for entry in lineage[:2]] == [
        "the model as it came",
        "prune: channels pruned to 0.50 of the MACs",
    ]
    assert (lineage[0].top1, lineage[0].macs, lineage[0].step) == (0.9474, 40_800_000, None)


def test_a_model_without_a_story_is_told_as_it_is(ordinary: Report) -> None:
    first, *artifacts = entries(ordinary)
    assert (first.title, first.top1, first.parameters) == (
        "the model as it came",
        0.9412,
        ordinary.model.parameters,
    )
    assert len(artifacts) == len(FILES)
    assert lineage_table(ordinary) is None  # the results say all of it
    assert "History of the model" not in markdown(ordinary) + page(ordinary)


@pytest.mark.parametrize(
    ("ratio", "between", "expected"),
    [
        (0.5, (0.4, 0.8), (2.0, (1.25, 2.5))),
        (2.0, None, (0.5, None)),
        (0.0, (0.0, 0.1), (None, None)),
        (0.5, (0.0, 0.8), (2.0, None)),
    ],
)
def test_faster_is_more_than_one(
    ratio: float, between: tuple[float, float] | None, expected: tuple[float, tuple[float, float]]
) -> None:
    assert (
        speed_up(
            StepLatency(
                format="tflite",
                scheme="int8",
                backend="litert",
                device="cpu",
                threads=1,
                before_ms=1.0,
                after_ms=ratio,
                ratio=ratio,
                ratio_ci95=between,
            )
        )
        == expected
    )


def test_report_json_tells_it_to_programs(compressed: Report) -> None:
    history = json.loads(encode(compressed))["history"]
    assert [entry["macs"] for entry in history[:2]] == [40_800_000, 20_300_000]
    prune, last = history[1], history[-1]
    assert prune["step"]["command"] == "resnet-edge prune base.keras --method channel --amount 0.5"
    assert prune["step"]["latency"][0]["ratio"] == 0.6
    assert prune["step"]["before"]["top1"] == 0.9474
    assert last["artifact"] == "resnet20.int8.onnx"
    assert (last["step"], last["backend"], last["measured_on"]) == (None, "onnxruntime", "cd" * 32)


def test_markdown_and_page_hold_the_table_and_the_commands(compressed: Report) -> None:
    for text in (markdown(compressed), page(compressed).replace("<wbr>", "")):
        for phrase in (
            "History of the model",
            "channels pruned to 0.50 of the MACs",
            "94.74 %",
            "1.67×",
            "resnet-edge qat pruned.keras",
        ):
            assert phrase in text


def test_a_story_from_outside_cannot_make_markup(troubled: Report) -> None:
    assert EVIL in troubled.history[0].title
    assert page(troubled).count("<script") == 1
    prose, fence, code = markdown(troubled).partition("\n````sh\n")
    assert fence
    assert "<script" not in prose
    assert "\n# not a heading" not in prose
    # The command stays inside a fence that is longer than its own, and on one line.
    assert code.splitlines()[1] == "````"
    assert entries(troubled)[0].top1_ci95 is None  # 700 % of 10,000
