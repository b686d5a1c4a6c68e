"""When plain int8 misses the budget: some layers stay float, in both formats, and it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.artifact import sha256_of
from tests.cli.conversion import NAMES, Ended, Place, tinted_images
from tests.cli.hostile import HOSTILE, SPREAD, write_hostile


@dataclass(frozen=True)
class Ran:
    ended: Ended
    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, widely in (("narrow", False), ("wide", True)):
        # Widely, a larger spread leaves one and the same output, which is no accuracy to be fixed.
        write_hostile(folder / f"{name}.keras", widely=widely, spread=SPREAD / 2 if widely else SPREAD)
    for name, n, seed in (("data", 1000, 2), ("calibration", 100, 3)):
        images, labels = tinted_images(n, seed)
        np.savez(folder / f"{name}.npz", images=images, labels=labels)
    np.savez(folder / "unlabelled.npz", images=tinted_images(1000, 2)[0])
    (folder / "labels.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return folder


def converted(given: Path, root: Path, model: str, *options: str, data: str = "data") -> Ran:
    place = Place(root)
    ended = place.run(
        *(str(given / f"{model}.keras"), "--data", str(given / f"{data}.npz"), "--schemes", "int8"),
        *("--calibration", str(given / "calibration.npz"), "--labels", str(given / "labels.txt")),
        *("--max-drop", "1", "--latency-seconds", "0.1", "--json", *options),
    )
    assert place.is_clean()
    return Ran(ended, place.here / "dist", json.loads(ended.out))


@pytest.fixture(scope="module")
def mixed(given: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return converted(given, tmp_path_factory.mktemp("mixed"), "narrow")


def test_the_budget_is_met_in_both_formats(mixed: Ran) -> None:
    assert mixed.ended.code == 0, mixed.ended
    assert [row["verdict"] for row in mixed.report["parity"]] == ["pass", "pass"]
    assert {row["artifact"] for row in mixed.report["parity"]} == {
        "narrow.int8.tflite",
        "narrow.int8.onnx",
    }
    assert mixed.report["passed"] is True
    assert [row["artifact"] for row in mixed.report["latency"]] == [
        row["artifact"] for row in mixed.report["parity"]
    ]


def test_the_plan_tells_what_was_tried_and_kept(mixed: Ran) -> None:
    plan = mixed.report["plan"]
    plain, *others = plan["candidates"]
    kept = plan["candidates"][plan["chosen"]]
    assert (plan["scheme"], plan["met"]) == ("int8", True)
    assert (plain["float_layers"], plain["int8_macs"], plain["verdict"]) == ([], 1, "fail")
    assert any(HOSTILE in layer for layer in kept["float_layers"])
    assert kept["verdict"] == "pass"
    assert kept["int8_macs"] > 0.75
    assert kept["parity"] == mixed.report["parity"]
    fewest = min(len(c["float_layers"]) for c in others if c["verdict"] == "pass")
    assert len(kept["float_layers"]) == fewest
    for candidate in others:
        lowest = min(row["sqnr_db"] for row in candidate["parity"])
        assert candidate["expected_sqnr_db"] == pytest.approx(lowest, abs=4)


def test_what_was_proved_is_what_the_user_gets(mixed: Ran) -> None:
    from resnet_edge.graph.model import read_graph
    from resnet_edge.graph.quantization.grids import float_operations

    plan = mixed.report["plan"]
    kept = plan["candidates"][plan["chosen"]]
    for row in mixed.report["artifacts"]:
        file = mixed.folder / row["file"]
        assert (row["sha256"], row["size_bytes"]) == (sha256_of(file), file.stat().st_size)
        assert kept["size_bytes"][row["file"]] == row["size_bytes"]
    inside = float_operations(read_graph(mixed.folder / "narrow.int8.tflite"))
    assert inside == set(kept["float_layers"])


def test_people_read_of_it_too(mixed: Ran) -> None:
    text = (mixed.folder / "report.md").read_text("utf-8")
    assert "## The plan for int8" in text
    assert "pass, kept" in text
    assert "plain int8 missed the budget: with 2 layers in float it holds" in text
    assert "The plan for int8" in (mixed.folder / "report.html").read_text("utf-8")
    assert "note: plain int8 missed the budget" in mixed.ended.err


@pytest.mark.slow
def test_a_budget_that_cannot_be_met_is_said_plainly(given: Path, tmp_path: Path) -> None:
    run = converted(given, tmp_path, "wide")
    assert run.ended.code == 4
    assert "the budget cannot be met with int8" in run.ended.err
    (error,) = run.ended.errors
    assert "FAIL" in error
    reasons = [reason for row in run.report["parity"] for reason in row["reasons"]]
    assert any("more than the 1 pp allowed" in reason for reason in reasons)
    plan = run.report["plan"]
    assert plan["met"] is False
    assert {candidate["verdict"] for candidate in plan["candidates"]} == {"fail"}
    kept = plan["candidates"][plan["chosen"]]
    assert kept["int8_macs"] >= 0.5
    both = kept["parity"], run.report["parity"]
    assert [[row["top1"] for row in rows] for rows in both] == [[row["top1"] for row in both[1]]] * 2


@pytest.mark.slow
def test_without_a_plan_int8_is_plain(given: Path, tmp_path: Path) -> None:
    run = converted(given, tmp_path, "narrow", "--no-plan")
    assert run.ended.code == 4
    assert run.report["plan"] is None
    assert {row["verdict"] for row in run.report["parity"]} == {"fail"}
    assert not any("plain int8" in note for note in run.report["notes"])


@pytest.mark.slow
def test_a_file_that_fails_is_looked_into_and_no_other(given: Path, tmp_path: Path) -> None:
    run = converted(given, tmp_path, "narrow", "--no-plan", "--schemes", "fp32,int8")
    verdicts = {row["artifact"]: row["verdict"] for row in run.report["parity"]}
    failed = {name for name, verdict in verdicts.items() if verdict == "fail"}
    assert failed == {"narrow.int8.tflite", "narrow.int8.onnx"}
    for part in ("explanations", "attribution", "execution"):
        assert {row["artifact"] for row in run.report[part]} == failed
    assert [row["artifact"] for row in run.report["error_growth"]] == ["narrow.int8.tflite"]
    assert [run.report["passed"], run.ended.code] == [False, 4]
    assert sum("of the files that did not fail were not compared" in n for n in run.report["notes"]) == 1


@pytest.mark.slow
def test_an_int8_graph_that_litert_refuses_costs_only_its_own_artifact(given: Path, tmp_path: Path) -> None:
    write_hostile(tmp_path / "spread.keras", widely=False, spread=1000.0)
    place = Place(tmp_path)
    ended = place.run(
        *(str(tmp_path / "spread.keras"), "--data", str(given / "data.npz"), "--schemes", "fp32,int8"),
        *("--calibration", str(given / "calibration.npz"), "--formats", "tflite", "--latency-seconds", "0"),
    )
    assert ended.code == 3
    assert "XNNPACK refuses its scales" in ended.err
    report = json.loads((place.here / "dist.partial" / "report.json").read_bytes())
    assert {trial["sqnr_db"] for trial in report["calibration"]["tried"]} == {None}
    assert [(row["artifact"], row["verdict"]) for row in report["parity"]] == [("spread.fp32.tflite", "pass")]
    assert "minmax: refused by LiteRT" in (place.here / "dist.partial" / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_images_without_labels_keep_agreement(given: Path, tmp_path: Path) -> None:
    run = converted(given, tmp_path, "narrow", "--io", "uint8", data="unlabelled")
    plan = run.report["plan"]
    kept = plan["candidates"][plan["chosen"]]
    assert plan["candidates"][0]["verdict"] == "fail"
    assert kept["verdict"] != "fail"
    assert kept["parity"][0]["agreement"] > 0.98
    assert [row["inputs"][0]["dtype"] for row in run.report["artifacts"]] == ["uint8", "uint8"]
