"""Reports to write: an ordinary one, one where much went wrong, and small ones."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Artifact, Quantization, TensorSpec
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity, Verdict
from resnet_edge.core.results.report import Failure, Report, StageCost
from resnet_edge.core.sidecar import State, Step, StepLatency

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
EVIL = """<script>alert("x")<img src=x onerror=y>&amp'|`**[a](x)_\\$"""


def artifact(file: str, size_bytes: int = 1_092_000, name: str = "resnet20") -> Artifact:
    """An artifact as `convert` describes it; int8 files have a quantized input."""
    scheme, form = file.split(".")[-2:]
    quantization = Quantization((1.0,), (-128,)) if scheme == "int8" else None
    dtype = "int8" if quantization else "float32"
    image = TensorSpec("image", (1 if form == "tflite" else None, 28, 28, 1), dtype, quantization)
    logits = TensorSpec("logits", (1, 10), dtype, Quantization((0.1342657,), (12,)) if quantization else None)
    return Artifact(
        path=f"out/{file}",
        format=form,
        scheme=scheme,
        size_bytes=size_bytes,
        sha256="ab" * 32,
        inputs=(image,),
        outputs=(logits,),
        converter=f"{form} 1.0",
    )


def proof(
    file: str, drop: float = 0.0, verdict: Verdict = "pass", backend: str = "", reasons: tuple[str, ...] = ()
) -> Parity:
    """A proof on 10,000 images; `drop` in percentage points."""
    runtime = backend or ("litert" if file.endswith("tflite") else "onnxruntime")
    return Parity(
        artifact=file,
        backend=runtime,
        device="cpu",
        n=10_000,
        top1=0.9412 - drop / 100,
        reference_top1=0.9412,
        drop_pp=drop,
        drop_ci95_pp=(drop - 0.07, drop + 0.09),
        agreement=0.9991,
        max_abs=0.31,
        sqnr_db=44.21,
        verdict=verdict,
        reasons=reasons,
    )


def timing(file: str, p50: float, vs_fp32: float | None, backend: str = "") -> Latency:
    """A latency with a 2 % interval."""
    runtime = backend or ("litert" if file.endswith("tflite") else "onnxruntime")
    return Latency(
        artifact=file,
        backend=runtime,
        device="cpu",
        threads=1,
        batch=1,
        n=400,
        p50_ms=p50,
        p90_ms=p50 * 1.08,
        p50_ci95_ms=(p50 * 0.99, p50 * 1.01),
        vs_fp32=vs_fp32,
    )


FILES = {
    "resnet20.fp32.tflite": (1_092_000, 0.0, 2.31, 1.0),
    "resnet20.fp16.tflite": (558_000, 0.0, 2.33, 0.99),
    "resnet20.dynamic.tflite": (301_000, 0.01, 1.62, 1.43),
    "resnet20.int8.tflite": (318_000, 0.03, 0.884, 2.61),
    "resnet20.int16x8.tflite": (325_000, 0.0, 3.9, 0.59),
    "resnet20.fp32.onnx": (1_087_000, 0.0, 1.24, 1.0),
    "resnet20.fp16.onnx": (549_000, 0.0, 1.31, 0.95),
    "resnet20.int8.onnx": (322_000, 0.03, 0.512, 2.42),
}


@pytest.fixture
def model() -> ModelFacts:
    return ModelFacts(
        name="resnet20",
        source="resnet20.keras",
        sha256="cd" * 32,
        parameters=272_282,
        macs=31_300_000,
        input_shape=(28, 28, 1),
        head=Head.of_classes(10, "logits"),
        class_names=CLASSES,
        preprocessing=Preprocessing(name="model", where="model"),
    )


@pytest.fixture
def ordinary(model: ModelFacts) -> Report:
    """What a good run of the bundled model gives."""
    return Report(
        resnet_edge="0.1.0",
        versions={"tensorflow": "2.21.0", "onnxruntime": "1.27.0", "ai-edge-litert": "2.1.6"},
        machine={
            "cpu": "Example CPU @ 2.10 GHz",
            "cores": 2,
            "flags": ["avx2", "avx512_vnni"],
            "command": ["resnet-edge", "convert", "--out", "my dist"],
        },
        model=model,
        data={"source": "fashion-mnist", "images": 10_000, "labelled": True},
        calibration={"source": "bundled", "images": 500},
        max_drop_pp=0.5,
        artifacts=tuple(artifact(file, row[0]) for file, row in FILES.items()),
        parity=tuple(proof(file, row[1]) for file, row in FILES.items()),
        latency=tuple(timing(file, row[2], row[3]) for file, row in FILES.items()),
        costs=(
            StageCost("reading the model", 6.2, 912_000_000),
            StageCost("writing TFLite", 131.4, 1_480_000_000),
        ),
    )


@pytest.fixture
def troubled(ordinary: Report) -> Report:
    """NaN, infinity, missing numbers, a collapse, failures, and strings meant to break out."""
    collapsed = replace(
        proof("resnet20.int8.onnx", 84.1, "fail"),
        sqnr_db=math.nan,
        reasons=("The drop of 84.10 pp exceeds 0.5 pp.",),
    )
    unsure = replace(
        proof("resnet20.int8.tflite", 0.45, "inconclusive"), sqnr_db=math.inf, samples_needed=48_000
    )
    evil = Artifact(
        path=f"out/{EVIL}.fp32.tflite",
        format="tflite",
        scheme="fp32",
        size_bytes=12,
        sha256="ef" * 32,
        inputs=(),
        outputs=(),
    )
    return replace(
        ordinary,
        model=replace(
            ordinary.model,
            name=f"näme{EVIL}",
            source=f"/data/{EVIL}.keras",
            class_names=(EVIL, "日本", "a\nb\x1b[31m\udcff"),
        ),
        artifacts=(*ordinary.artifacts, evil),
        parity=(*ordinary.parity[:3], unsure, *ordinary.parity[4:7], collapsed),
        latency=(replace(ordinary.latency[0], p50_ms=math.nan, vs_fp32=math.inf), *ordinary.latency[1:]),
        failures=(Failure(f"int16x8 ONNX {EVIL}", f"the converter died: {EVIL}"),),
        notes=(f"1. a note {EVIL}", "- looks like a list"),
        history=(
            Step(
                step=EVIL,
                title=f"{EVIL}\n# not a heading",
                command=f"resnet-edge {EVIL}\n```\nrm",
                resnet_edge=EVIL,
                after=State(
                    sha256=EVIL,
                    parameters=-5,
                    macs=None,
                    file_bytes=10**30,
                    gzip_bytes=0,
                    top1=7.0,
                    n=10_000,
                    images=EVIL,
                    images_sha256=EVIL,
                ),
                latency=(
                    StepLatency(
                        format=EVIL,
                        scheme=EVIL,
                        backend=EVIL,
                        device=EVIL,
                        threads=1,
                        before_ms=2.0,
                        after_ms=1.0,
                        ratio=0.0,
                        ratio_ci95=(-1.0, 0.0),
                    ),
                ),
                details={EVIL: [math.nan]},
            ),
        ),
        machine={
            **ordinary.machine,
            "load": math.inf,
            EVIL: EVIL,
            "command": f"resnet-edge convert '{EVIL}' ```",
        },
    )


IMAGES = "cd" * 32
"""What tells the images of `ordinary` and of its lineage apart from others."""


def state(top1: float, macs: int, images_sha256: str = IMAGES) -> State:
    """A model on 10,000 test images; its sizes go with its cost."""
    sha = f"{macs:064d}"
    size = macs // 30
    return State(
        sha256=sha,
        parameters=macs // 150,
        macs=macs,
        file_bytes=size,
        gzip_bytes=size * 3 // 4,
        top1=top1,
        n=10_000,
        images="10,000 test images",
        images_sha256=images_sha256,
    )


@pytest.fixture
def compressed(ordinary: Report) -> Report:
    """A model that was trained, pruned to half its cost, and fine-tuned with quantization."""
    base, pruned, qat = state(0.9474, 40_800_000), state(0.9451, 20_300_000), state(0.9412, 20_300_000)
    faster = StepLatency(
        format="tflite",
        scheme="int8",
        backend="litert",
        device="cpu",
        threads=1,
        before_ms=1.52,
        after_ms=0.91,
        ratio=0.6,
        ratio_ci95=(0.59, 0.61),
    )
    steps = (
        Step(
            step="train",
            title="resnet20, 45 epochs",
            command="resnet-edge train --arch resnet20",
            resnet_edge="0.1.0",
            after=base,
        ),
        Step(
            step="prune",
            title="channels pruned to 0.50 of the MACs",
            command="resnet-edge prune base.keras --method channel --amount 0.5",
            resnet_edge="0.1.0",
            after=pruned,
            before=base,
            latency=(faster,),
        ),
        Step(
            step="qat",
            title="8 bits, 3 epochs",
            command="resnet-edge qat pruned.keras",
            resnet_edge="0.1.0",
            after=qat,
            before=pruned,
        ),
    )
    return replace(
        ordinary,
        model=replace(ordinary.model, macs=20_300_000, parameters=135_333),
        data={**ordinary.data, "sha256": IMAGES},
        history=steps,
        gzip_bytes={artifact.file: artifact.size_bytes * 4 // 5 for artifact in ordinary.artifacts},
    )


@pytest.fixture
def unlabelled(ordinary: Report) -> Report:
    """Agreement only, and no latency."""
    blank = [
        replace(
            row,
            top1=None,
            reference_top1=None,
            drop_pp=None,
            drop_ci95_pp=None,
            verdict="inconclusive",
            reasons=("The images have no labels: agreement is reported, accuracy is not proved.",),
        )
        for row in ordinary.parity
    ]
    return replace(ordinary, parity=tuple(blank), latency=(), data={**ordinary.data, "labelled": False})


@pytest.fixture
def crowded(ordinary: Report) -> Report:
    """Twenty artifacts with very long names, close together, on two devices."""
    files = [
        f"{'a-very-long-model-name-' * 4}{n:02d}.int8.{'tflite' if n % 2 else 'onnx'}" for n in range(20)
    ]
    return replace(
        ordinary,
        artifacts=tuple(artifact(file) for file in files),
        parity=tuple(proof(file, 0.01 * (n % 7)) for n, file in enumerate(files)),
        latency=tuple(timing(file, 1 + 0.02 * n, 1.0) for n, file in enumerate(files)),
    )


@pytest.fixture
def single(ordinary: Report) -> Report:
    """One artifact."""
    return replace(
        ordinary, artifacts=ordinary.artifacts[:1], parity=ordinary.parity[:1], latency=ordinary.latency[:1]
    )


@pytest.fixture
def nothing(ordinary: Report) -> Report:
    """A run in which every conversion failed."""
    return replace(
        ordinary,
        artifacts=(),
        parity=(),
        latency=(),
        failures=(Failure("int8 TFLite", "the converter died"),),
    )


@pytest.fixture
def confused(ordinary: Report) -> Report:
    """Some answers changed."""
    from tests.report.changed import changed  # which takes strings from here

    return changed(ordinary)


NAMES = ("ordinary", "confused", "troubled", "compressed", "unlabelled", "crowded", "single", "nothing")


@pytest.fixture(params=NAMES)
def any_report(request: pytest.FixtureRequest) -> Report:
    """Each of the reports above in turn."""
    report: Report = request.getfixturevalue(request.param)
    return report
