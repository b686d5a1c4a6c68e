"""When a run has passed, by `convert` and by `verify` alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Failure, Report
from resnet_edge.core.results.verification import Verification

ONE = Artifact(path="a.onnx", format="onnx", scheme="fp32", size_bytes=1, sha256="", inputs=(), outputs=())
TWO = replace(ONE, path="b.onnx")
PASS = Parity(
    artifact="a.onnx",
    backend="onnxruntime",
    device="cpu",
    n=9,
    top1=None,
    reference_top1=None,
    drop_pp=None,
    drop_ci95_pp=None,
    agreement=1.0,
    max_abs=0.0,
    sqnr_db=90.0,
    verdict="pass",
    reasons=("fine",),
)
VERIFICATION = Verification(
    resnet_edge="0",
    versions={},
    machine={},
    reference={},
    data={},
    max_drop_pp=1.0,
    artifacts=(ONE,),
    parity=(PASS,),
)
MODEL = ModelFacts(
    name="net",
    source="net.keras",
    sha256="",
    parameters=1,
    macs=None,
    input_shape=(8, 8, 1),
    head=Head.of_classes(5, "logits"),
    class_names=(),
    preprocessing=PRESETS["none"],
)
REPORT = Report(
    resnet_edge="0",
    versions={},
    machine={},
    model=MODEL,
    data={},
    calibration=None,
    max_drop_pp=1.0,
    artifacts=(ONE,),
    parity=(PASS,),
    latency=(),
)
DOUBT = Doubt(kind="chance", sentence="it is right by chance")
OTHER = replace(PASS, artifact="b.onnx")


@pytest.mark.parametrize("done", [REPORT, VERIFICATION], ids=["convert", "verify"])
def test_a_run_passes_where_all_is_proved_and_nothing_speaks_against_it(done: Report | Verification) -> None:
    assert done.passed
    assert replace(done, artifacts=(ONE, TWO), parity=(PASS, OTHER)).passed
    assert replace(done, doubts=(replace(DOUBT, accepted=True),)).passed
    for wrong in (
        replace(done, artifacts=(), parity=()),  # no data is never a pass
        replace(done, parity=()),
        replace(done, artifacts=(ONE, TWO)),
        replace(done, parity=(PASS, replace(PASS, backend="openvino", verdict="fail"))),
        replace(done, parity=(replace(PASS, verdict="inconclusive"),)),
        replace(done, failures=(Failure("a.tflite", "it could not be written"),)),
        replace(done, doubts=(DOUBT,)),
    ):
        assert not wrong.passed
