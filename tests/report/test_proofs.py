"""What stands beside verdicts, in every report and on the page of `verify`: causes, layers, integers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.results.attribution import Attribution, Cause, KernelCheck, Share
from resnet_edge.core.results.execution import Execution, OperatorCount
from resnet_edge.core.results.explanation import Explanation, LayerFinding, LayerTrace
from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk, LayerRisk, Way
from resnet_edge.core.results.report import Failure, Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.tolerances import INT8
from resnet_edge.report.causes import causes_how, causes_sentences, causes_table, kernels_table
from resnet_edge.report.contract import encode
from resnet_edge.report.html.convert_page import page
from resnet_edge.report.html.verify_page import verify_page
from resnet_edge.report.integers import execution_table, risk_sentences, risk_table
from resnet_edge.report.markdown import markdown
from resnet_edge.report.verification import verification_document
from tests.report.browser import PAPER, Checker, laid_out, on_paper
from tests.report.conftest import EVIL, FILES

FILE = "resnet20.int8.onnx"
LONG = "resnet20_of_a_very_long_name/stage3_block12_convolution_number_3_and_batch_normalization"


def share(cause: Cause, drop: float, changed: float) -> Share:
    return Share(
        cause=cause,
        drop_pp=drop,
        drop_ci95_pp=(drop - 0.7, drop + 0.7),
        changed=changed,
        changed_ci95=(changed / 2, 2 * changed),
        sqnr_db=36.0,
    )


SPLIT = Attribution(
    artifact=FILE,
    backend="onnxruntime",
    device="cpu",
    n=500,
    shares=(share("preprocessing", 0, 0), share("quantization", 1.0, 0.02), share("kernels", -0.2, 0.002)),
    whole=share("all", 0.8, 0.022),
    kernels=KernelCheck(INT8, 0.6, 2.5, True),
    remarks=(f"a remark {EVIL}",),
)
BROKEN = Explanation(
    artifact=FILE,
    n=16,
    layers=22,
    compared=22,
    findings=(
        LayerFinding(
            layer=LONG,
            reference_layer=LONG,
            order=3,
            cause="bias_dropped",
            sentence=f"{LONG}: its bias is gone {EVIL}",
            certain=True,
        ),
    ),
    trace=tuple(
        LayerTrace(f"{LONG}_{n}", LONG, None if n == 9 else 40 - 2.0 * n, 42 - 2.0 * n) for n in range(12)
    ),
)
RAN = Execution(
    artifact=FILE,
    backend="onnxruntime",
    device="cpu",
    macs=1000,
    stated_int8_macs=1000,
    int8_macs=950,
    operators=(
        OperatorCount(op="QLinearConv", precision="uint8 x int8", by="CPU", count=20, macs=950),
        OperatorCount(op="Conv", precision="float32", by="CPU", count=1, macs=50),
        OperatorCount(op="QuantizeLinear", precision="float32 to uint8", by="CPU", count=1, macs=0),
    ),
    in_float=(LONG,),
)
RISK = Int8Risk(
    artifact=FILE,
    n=1000,
    top1=0.95,
    layers=(
        LayerRisk(layer=LONG, pairs=80, at_risk=16, worst=1.9, overflowed=0.03),
        LayerRisk(layer="quiet", pairs=10, at_risk=2, worst=1.1, overflowed=0.0),
        LayerRisk(layer="safe", pairs=9, at_risk=0, worst=0.9, overflowed=0),
    ),
    ways=(
        Way(
            way=AS_IT_COMES,
            agreement=0.96,
            agreement_ci95=(0.95, 0.97),
            max_abs=8.6,
            top1=0.93,
            drop_pp=2.0,
            drop_ci95_pp=(0.7, 3.4),
        ),
        Way(
            way=SEVEN_BITS,
            agreement=0.997,
            agreement_ci95=(0.99, 0.999),
            max_abs=0.9,
            top1=0.95,
            drop_pp=0.0,
            drop_ci95_pp=(-0.6, 0.6),
        ),
    ),
    advice=(f"they overflow {EVIL}", "set an option"),
    left_out=("other",),
)


@pytest.fixture
def full(ordinary: Report) -> Report:
    return replace(
        ordinary, attributions=(SPLIT,), explanations=(BROKEN,), executions=(RAN,), int8_risks=(RISK,)
    )


@pytest.fixture
def verified(full: Report) -> Verification:
    failed = replace(full.parity[-1], verdict="fail", reasons=("a reason",))
    return Verification(
        resnet_edge="0.1.0",
        versions=full.versions,
        machine={**full.machine, "command": "resnet-edge verify"},
        reference={"name": f"näme{EVIL}", "kind": "keras"},
        data={"source": "photos", "n": 500},
        max_drop_pp=0.5,
        artifacts=full.artifacts,
        parity=(*full.parity[:-1], failed),
        explanations=full.explanations,
        executions=full.executions,
        int8_risks=full.int8_risks,
        attributions=full.attributions,
        failures=(Failure("a file", f"died {EVIL}"),),
        notes=("a note",),
    )


def test_every_step_has_its_interval() -> None:
    rows = causes_table([SPLIT])
    assert rows is not None
    assert rows.header == ("Artifact", "Preprocessing", "Quantization", "Kernels", "All")
    assert rows.body[0][2] == ("1.00", "[0.30, 1.70]")
    assert causes_sentences([SPLIT])[0] == (
        f"{FILE} on onnxruntime cpu loses 0.80 [0.10, 1.50] pp on 500 images: "
        "quantization 1.00 [0.30, 1.70], kernels −0.20 [−0.90, 0.50]; no other step changes an answer."
    )
    assert "quantization: the file as it is written" in causes_how([SPLIT])
    assert causes_table([]) is None
    assert causes_how([]) == ""


def test_without_labels_answers_that_change_are_told() -> None:
    shares = tuple(replace(one, drop_pp=None, drop_ci95_pp=None) for one in SPLIT.shares)
    found = replace(SPLIT, shares=shares, whole=replace(SPLIT.whole, drop_pp=None, drop_ci95_pp=None))
    rows = causes_table([found])
    assert rows is not None
    assert rows.body[0][2] == ("2.00 %", "[1.00, 4.00]")
    assert "changes 2.20 % [1.10, 4.40] on 500 images" in causes_sentences([found])[0]


def test_kernels_are_told_with_what_they_may_and_why() -> None:
    rows = kernels_table([SPLIT])
    assert rows is not None
    assert [cell for cell, _ in rows.body[0][1:3]] == ["0.6 steps", "2.5 steps"]
    assert INT8.reason in rows.body[0][3][0]


def test_what_ran_is_told_by_whom() -> None:
    rows = execution_table([RAN])
    assert rows is not None
    cells = [cell for cell, _ in rows.body[0]]
    assert cells[2:] == ["100.0 %", "95.0 %", "CPU: 20 QLinearConv uint8 x int8, 1 Conv float32"]
    assert execution_table([]) is None


def test_the_layers_that_overflow_most_come_first() -> None:
    rows = risk_table([RISK])
    assert rows is not None
    assert len(rows.body) == 2
    assert [cell for cell, _ in rows.body[0][1:]] == ["80", "20.0 %", "1.90x", "3 %"]
    assert "1 layer of integers not emulated" in risk_sentences([RISK])[-1]
    both = risk_table([RISK, replace(RISK, artifact="other.onnx")])
    assert both is not None
    assert {row[0][0].split(": ")[0] for row in both.body} == {RISK.artifact, "other.onnx"}


def test_all_of_it_is_in_every_report(full: Report) -> None:
    document = json.loads(encode(full))
    assert document["attribution"][0]["kernels"]["within"] is True
    assert document["execution"][0]["in_float"] == [LONG]
    assert document["int8_risk"][0]["ways"][0]["drop_ci95_pp"] == [0.7, 3.4]
    for text in (markdown(full), page(full)):
        for title in ("Where the gap comes from", "What int8 really ran as", "int8 ONNX on x86 without VNNI"):
            assert title in text
    assert "its bias is gone" in page(full)
    assert "<script" not in markdown(full) + page(full)


def test_nothing_found_no_section(ordinary: Report) -> None:
    for title in ("Where the gap", "Where artifacts part", "really ran", "without VNNI"):
        assert title not in markdown(ordinary) + page(ordinary)


def test_the_page_of_verify_is_sound(verified: Verification) -> None:
    checker = Checker()
    checker.feed(verify_page(verified, "FAILED", "Not all agree."))
    checker.close()
    assert checker.open == []
    told = "".join(checker.text)
    for file in FILES:
        assert file in told
    for word in ("Not all agree.", "its bias is gone", "a reason", "died", "a note", "resnet-edge verify"):
        assert word in told
    assert "<script" not in verify_page(verified, "FAILED", EVIL)


def test_the_document_of_verify_holds_it(verified: Verification) -> None:
    found = verification_document(verified)
    assert found["attribution"][0]["n"] == 500
    assert found["int8_risk"][0]["artifact"] == FILE


@pytest.mark.chromium
@pytest.mark.parametrize("width", [360, PAPER, 1280])
@pytest.mark.parametrize("which", ["convert", "verify"])
def test_it_fits_the_window(
    full: Report, verified: Verification, which: str, width: int, tmp_path: Path
) -> None:
    html = page(full) if which == "convert" else verify_page(verified, "FAILED", "Not all agree.")
    found = laid_out(on_paper(html) if width == PAPER else html, width, tmp_path)
    assert found.scroll <= found.client
    assert found.overlapping == 0
