"""What stands beside verdicts, to write: a split gap, a broken layer, what ran, and what overflows."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.attribution import Attribution, Cause, KernelCheck, Share
from resnet_edge.core.results.execution import Execution, OperatorCount
from resnet_edge.core.results.explanation import Explanation, LayerFinding, LayerTrace
from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk, LayerRisk, Way
from resnet_edge.core.results.report import Failure, Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.tolerances import INT8
from tests.report.conftest import EVIL

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


def full(ordinary: Report) -> Report:
    """The report with all of it."""
    return replace(
        ordinary, attributions=(SPLIT,), explanations=(BROKEN,), executions=(RAN,), int8_risks=(RISK,)
    )


def verified(ordinary: Report) -> Verification:
    """What `verify` found, with all of it, and a file that failed."""
    report = full(ordinary)
    failed = replace(report.parity[-1], verdict="fail", reasons=("a reason",))
    return Verification(
        resnet_edge="0.1.0",
        versions=report.versions,
        machine={**report.machine, "command": "resnet-edge verify"},
        reference={"name": f"näme{EVIL}", "kind": "keras"},
        data={"source": "photos", "n": 500},
        max_drop_pp=0.5,
        artifacts=report.artifacts,
        parity=(*report.parity[:-1], failed),
        explanations=report.explanations,
        executions=report.executions,
        int8_risks=report.int8_risks,
        attributions=report.attributions,
        failures=(Failure("a file", f"died {EVIL}"),),
        notes=("a note",),
    )
