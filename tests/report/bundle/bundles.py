"""A bundle to describe, whose names are meant to break out."""

from __future__ import annotations

from resnet_edge.core.arena import Arena
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.bundle import Bundle, BundledFile, BundleFacts, ClassCount, Golden, RuntimeProof
from resnet_edge.core.results.outlook import FileOutlook, LeftOp, Outlook
from tests.report.conftest import EVIL

NASTY = f"{EVIL}\n# head\x1b[31m\u202e"


PATH = f"litert/{NASTY}.tflite"


def bundle() -> Bundle:
    end = TensorSpec("x", (1, 8, 8, 1), "float32")
    file = BundledFile(
        path=PATH,
        profile="litert",
        format="tflite",
        scheme="fp32",
        size_bytes=9,
        sha256="ab",
        input=end,
        output=end,
        scores="logits",
        source=f"{NASTY}.tflite",
        source_sha256="ab",
        changes=(f"has `{NASTY}`",),
    )
    ran = RuntimeProof(
        file=PATH,
        backend="litert",
        status="agrees",
        n=9,
        same_top1=9,
        golden=2,
        golden_same_top1=2,
        values=9,
        max_abs=0.0,
    )
    outlook = Outlook(
        delegate="gpu",
        title=NASTY,
        kind="estimated",
        date="2026-11-01",
        source=NASTY,
        ops_taken=1,
        ops_total=2,
        mac_share=0.5,
        left=(LeftOp(NASTY, 1, NASTY),),
        sentence=NASTY,
        warnings=(NASTY,),
        facts={NASTY: NASTY},
    )
    return Bundle(
        facts=BundleFacts(
            name=NASTY,
            title=NASTY,
            labels=(NASTY, "b"),
            image=contract("pillow", 8, 8, 1),
            files=(file,),
            golden=Golden((), ()),
        ),
        proofs=(ran, RuntimeProof(file=PATH, backend="onnxruntime", status="does not open", reason=NASTY)),
        arenas={PATH: Arena(3, 1, 2, 1024)},
        left=(NASTY,),
        unproved=(NASTY,),
        classes=(ClassCount(NASTY, 3, 2),),
        outlooks=(FileOutlook(PATH, "gpu", outlook), FileOutlook(PATH, NASTY, None, NASTY)),
    )


def report() -> dict[str, object]:
    """A report.json that says what it likes in every text."""
    source = f"{NASTY}.tflite"
    place = {"artifact": source, "backend": NASTY, "device": NASTY}
    state = {"title": NASTY, "artifact": None, "top1": 0.5, "n": 9, "step": {"command": NASTY}}
    return {
        "model": {
            **{name: NASTY for name in ("name", "source", "sha256", "output")},
            **{"parameters": 3, "macs": 3, "classes": 2, "head": {"rule": NASTY}},
        },
        "data": {"source": NASTY, "n": 9, "sha256": NASTY},
        "calibration": {"source": NASTY, "n": 9, "sha256": NASTY, "calibrator": NASTY, "repairs": [NASTY]},
        "preprocessing": {},
        "parity": [{**place, "n": 9, "top1": 0.5, "drop_pp": None, "drop_ci95_pp": None, "verdict": NASTY}],
        "latency": [{**place, "threads": 1, "p50_ms": 1.0, "p90_ms": 2.0}],
        "machine": {"cpu": NASTY, "usable_cores": 2, "command": NASTY},
        "history": [state],
        "versions": {NASTY: NASTY},
    }
