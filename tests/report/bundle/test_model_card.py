"""Tests of the model card: what was not said, and figures with their intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.bundle import ClassCount
from resnet_edge.core.results.latency import Latency
from resnet_edge.report.bundle.model_card import card_markdown, model_card
from tests.report.bundle.bundles import bundle, report


def test_only_rows_of_what_is_in_the_bundle_are_on_the_card() -> None:
    stored = bundle()
    given = report()
    sources = {file.source for file in stored.facts.files}
    card = model_card(stored, given, "resnet-edge package dist", "", "")
    assert {row["artifact"] for row in card["accuracy"]} <= sources
    assert {row["artifact"] for row in card["latency"]} <= sources
    assert card["files"] == {file.path: file.sha256 for file in stored.facts.files}
    assert card["commands"][-1] == "resnet-edge package dist"


def test_classes_have_their_recall_and_classes_without_images_are_counted() -> None:
    counts = (ClassCount("cat", 40, 30), ClassCount("dog", 0, 0), ClassCount("emu", 0, 0))
    card = model_card(replace(bundle(), classes=counts), report(), "", "", "")
    (cat,) = card["classes"]
    assert (cat["label"], cat["recall"], cat["recall_ci95"]) == ("cat", 0.75, wilson(30, 40))
    assert card["classes_without_images"] == 2
    text = card_markdown(card)
    assert "| cat | 40 | 30 | 75.0 % [59.8, 85.8] |" in text
    assert "No image is of one of the other 2 classes." in text


def test_what_nobody_said_is_named_as_not_said() -> None:
    silent = card_markdown(model_card(bundle(), report(), "", "", ""))
    assert "Use: not said" in silent
    assert "licence: not said" in silent
    said = card_markdown(model_card(bundle(), report(), "", "Sorting shoes", "MIT"))
    assert "not said" not in said
    assert "Sorting shoes" in said


def test_what_is_not_proved_stands_at_the_top() -> None:
    text = card_markdown(
        model_card(replace(bundle(), unproved=("a.tflite was not proved",)), report(), "", "", "")
    )
    assert text.index("**Not proved:** ") < text.index("## Model")
    assert "Not proved" not in card_markdown(model_card(replace(bundle(), unproved=()), report(), "", "", ""))


def test_latency_is_told_of_each_machine_by_itself() -> None:
    given = report()
    row: dict[str, Any] = given["latency"][0]  # type: ignore[index]  # a report of JSON values
    there = {"cpu": "Cortex-A76", "usable_cores": 4, "architecture": "aarch64"}
    given["latency"] = [row, {**row, "backend": "litert@pi4"}, {**row, "backend": "litert@gone"}]
    given["machine"] = {**given["machine"], "hosts": {"pi4": there}}  # type: ignore[dict-item]  # as above
    timed = Latency(
        artifact="litert/a.tflite",
        backend="litert@pi5",
        device="cpu",
        threads=1,
        batch=1,
        n=9,
        p50_ms=3.0,
        p90_ms=4.0,
        p50_ci95_ms=(3.0, 3.0),
        vs_fp32=None,
    )
    own = {"cpu": "aarch64", "usable_cores": 2, "architecture": "aarch64", "runtimes": {}}
    card = model_card(replace(bundle(), latency=(timed,), hosts={"pi5": own}), given, "", "", "")
    text = card_markdown(card).partition("## Latency")[2]
    assert "on `pi4`, Cortex-A76 (4 cores, aarch64), which is no phone" in text
    assert "on `gone`, a machine of which nothing more is known" in text
    assert "on `pi5`, aarch64 (2 cores), which" in text
    assert text.count("| artifact |") == 4
    assert text.index("`pi5`") < text.index("| `litert/a.tflite` | litert@pi5 cpu | 1 | 3 ms | 4 ms |")
