from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.mixed_precision import FloatCandidate, MixedPrecision
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.report.blocks import Tag
from resnet_edge.report.contract import document
from resnet_edge.report.mixed_precision_table import HEADER, explained_plan, mixed_precision_table
from tests.report.conftest import EVIL, artifact, proof
from tests.report.rendered import markdown, page


def candidate(layers: tuple[str, ...], share: float, *parity: Parity) -> FloatCandidate:
    sizes: tuple[Artifact, ...] = (artifact("a.int8.tflite", 311_000), artifact("a.int8.onnx", 340_000))
    return FloatCandidate(
        float_layers=layers, int8_macs=share, expected_sqnr_db=33.0, artifacts=sizes, parity=parity
    )


@pytest.fixture
def plan() -> MixedPrecision:
    return MixedPrecision(
        "int8",
        (
            candidate((), 1.0, proof("a.int8.tflite", 0.9, "fail"), proof("a.int8.onnx", 1.1, "fail")),
            candidate(
                ("net/first/Relu;net/first/conv", EVIL),
                0.9537,
                proof("a.int8.tflite"),
                proof("a.int8.onnx", 0.2),
            ),
        ),
        1,
    )


@pytest.fixture
def planned(ordinary: Report, plan: MixedPrecision) -> Report:
    return replace(ordinary, plan=plan)


def test_no_plan_no_table(ordinary: Report) -> None:
    assert document(ordinary)["plan"] is None
    assert "The plan for" not in markdown(ordinary) + page(ordinary)


def test_a_row_for_each_candidate_with_its_worst_figures(plan: MixedPrecision) -> None:
    table = mixed_precision_table(plan)
    assert table.header == HEADER
    plain, kept = table.body
    assert plain == (
        *("0", "100.0 %", "311 kB / 340 kB", ("1.10", "[1.03, 1.19]"), "99.91 %", "44.2 dB"),
        Tag("FAIL", "fail"),
    )
    assert kept[:4] == ("2", "95.4 %", "311 kB / 340 kB", ("0.20", "[0.13, 0.29]"))
    assert kept[-1] == Tag("pass, kept", "pass")


def test_images_without_labels_have_no_drop(plan: MixedPrecision) -> None:
    rows = tuple(replace(row, drop_pp=None, drop_ci95_pp=None) for row in plan.candidates[0].parity)
    candidate = replace(plan.candidates[0], parity=rows)
    table = mixed_precision_table(replace(plan, candidates=(candidate,), chosen=0))
    assert table.body[0][3] == ("–", "")


def test_layers_are_named_shortly_and_many_of_them_counted(plan: MixedPrecision) -> None:
    assert explained_plan(plan)[1].startswith("In float: net/first/Relu, ")
    many = replace(plan.candidates[1], float_layers=tuple(f"layer{n};x" for n in range(15)))
    text = explained_plan(replace(plan, candidates=(plan.candidates[0], many)))[1]
    assert "layer11 and 3 more (report.json has all)" in text
    assert len(explained_plan(replace(plan, chosen=0))) == 1


def test_the_contract_has_every_candidate_whole(planned: Report) -> None:
    plan = document(planned)["plan"]
    assert (plan["scheme"], plan["met"], plan["chosen"]) == ("int8", True, 1)
    assert plan["candidates"][1]["float_layers"] == ["net/first/Relu;net/first/conv", EVIL]
    assert plan["candidates"][1]["size_bytes"] == {"a.int8.tflite": 311_000, "a.int8.onnx": 340_000}
    assert [row["verdict"] for row in plan["candidates"][0]["parity"]] == ["fail", "fail"]


def test_names_cannot_make_markup(planned: Report) -> None:
    assert page(planned).count("<script>") == 1
    assert "<script>" not in markdown(planned)
