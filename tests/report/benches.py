"""Benches to draw: an ordinary one, one where much went wrong, a crowded one, and one without extras."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from resnet_edge.core.results.bench import Accuracy, Bench, Cold, Failed, Quiet, Timing, Unopened
from resnet_edge.core.results.profile import OperatorTime, Profile
from resnet_edge.core.roofline import Ceilings, Roofline, Work
from tests.report.conftest import EVIL, proof

CEILINGS = Ceilings(
    float_gmacs=51.3,
    float_by="vfmadd231ps ymm",
    int8_gmacs=205.0,
    int8_by="vpdpbusd ymm",
    gigabytes=8.7,
    cache_bytes=32_000_000,
)


def row(
    file: str,
    p50: float,
    rank: int = 1,
    *,
    reasons: tuple[str, ...] = (),
    layers: dict[str, float] | None = None,
    share: float | None = 0.5,
) -> Timing:
    """A row with an interval of 4 %; `layers` in microseconds, each of a million MACs, are its profile."""
    scheme, form = file.split(".")[-2:]
    backend = "litert" if form == "tflite" else "onnxruntime"
    macs = 31_000_000
    work = Work(0, macs, 300_000) if scheme == "int8" else Work(macs, 0, 1_090_000)
    return Timing(
        artifact=file,
        format=form,
        scheme=scheme,
        backend=backend,
        device="cpu",
        threads=1,
        batch=1,
        n=400,
        rounds=40,
        p50_ms=p50,
        p90_ms=p50 * 1.1,
        p99_ms=p50 * 1.6,
        p50_ci95_ms=(p50 * 0.98, p50 * 1.02),
        per_second=1000 / p50,
        times_fastest=p50 / 0.5,
        times_fastest_ci95=(p50 / 0.51, p50 / 0.49),
        rank=rank,
        cold=Cold(12.3, 1.9, 8_000_000),
        verdict="inconclusive" if reasons else "steady",
        reasons=reasons,
        profile=None if layers is None else profile(layers),
        roofline=None if share is None else Roofline(work, share * p50, share, "multiplying"),
    )


def profile(layers: dict[str, float]) -> Profile:
    """A convolution for each, and a conversion that belongs to none."""
    convolutions = [OperatorTime(name, "Conv", taken, 1_000_000) for name, taken in layers.items()]
    return Profile((OperatorTime("", "Transpose", 3.0), *convolutions), 60)


def ordinary() -> Bench:
    """What a good run with --profile on a folder of `convert` gives."""
    slow = {"net/stem/conv": 40.0, "net/block1/conv": 120.0, "logits": 6.0}
    fast = {"net/stem/conv": 30.0, "net/block1/conv": 55.0, "net/extra/conv": 2.0, "logits": 5.0}
    rows = (
        row("resnet20.fp32.tflite", 1.06, 3, layers=slow),
        row("resnet20.int8.tflite", 0.5, 1, layers=fast, share=0.66),
        row("resnet20.int8.onnx", 0.51, 1, layers=fast, share=1.01),
        row("resnet20.int16x8.tflite", 47.0, 4, layers={n: 40 * t for n, t in slow.items()}, share=None),
    )
    return Bench(
        resnet_edge="0.1.0",
        versions={"onnxruntime": "1.27.0"},
        machine={"cpu": "Example CPU @ 2.10 GHz", "usable_cores": 2},
        command="resnet-edge bench dist --profile --html bench.html",
        seconds=41.2,
        quiet=Quiet(0.01, 1.01),
        rows=rows,
        notes=("resnet20.int8.tflite on litert: layers that are slower than in float: stem",),
        sha256={r.artifact: "ab" * 32 for r in rows},
        ceilings=CEILINGS,
        accuracy=Accuracy(tuple(proof(r.artifact, 0.03) for r in rows)),
    )


def troubled() -> Bench:
    """Strings that are meant to break out, figures that do not hold, failures, missing numbers."""
    bench = ordinary()
    evil = row(f"{EVIL}.int8.tflite", 3.0, 3, reasons=(EVIL, "the machine changed"), layers={EVIL: 12.0})
    lost = replace(evil, artifact="a\nb\x1b[31m\udcff.fp32.onnx", cold=Cold(1.0, 2.0, None), roofline=None)
    shared = tuple(replace(r, verdict="inconclusive", reasons=("the machine changed",)) for r in bench.rows)
    return replace(
        bench,
        rows=(*shared, replace(evil, backend=EVIL, p99_ms=math.inf), lost),
        machine={EVIL: EVIL},
        versions={EVIL: EVIL},
        command=f"resnet-edge bench '{EVIL}'",
        notes=(EVIL,),
        failures=(Failed(EVIL, EVIL, EVIL, EVIL),),
        unopened=(Unopened("", EVIL, "", EVIL), Unopened(EVIL, EVIL, EVIL, EVIL)),
        quiet=Quiet(None, 1.3),
        accuracy=Accuracy((replace(proof("resnet20.int8.onnx"), top1=None, drop_ci95_pp=None),)),
    )


def crowded() -> Bench:
    """Eighteen artifacts with very long names, close together, and more layers than are shown."""
    layers = {f"net/a_very_long_name_of_a_layer_{n:02d}/conv": 5.0 + n for n in range(60)}
    rows = [
        row(f"{'a-very-long-model-name-' * 4}{n:02d}.int8.{'tflite' if n % 2 else 'onnx'}", 1 + n / 50, 1)
        for n in range(18)
    ]
    rows = [replace(r, profile=profile(layers)) if n < 9 else r for n, r in enumerate(rows)]
    proofs = tuple(proof(r.artifact, 0.01 * (n % 7)) for n, r in enumerate(rows))
    return replace(ordinary(), rows=tuple(rows), accuracy=Accuracy(proofs))


def bare() -> Bench:
    """One artifact; no profile, no accuracy, no ceilings, no notes."""
    return replace(
        ordinary(),
        rows=(row("net.fp32.onnx", 2.0, share=None),),
        notes=(),
        ceilings=None,
        accuracy=Accuracy(),
        command="",
    )


BENCHES: dict[str, Callable[[], Bench]] = {
    "ordinary": ordinary,
    "troubled": troubled,
    "crowded": crowded,
    "bare": bare,
}
