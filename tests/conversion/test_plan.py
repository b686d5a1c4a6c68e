"""What is settled before any work."""

from __future__ import annotations

import pytest

from resnet_edge.conversion.plan import plan
from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.core.errors import UnknownName, UnsupportedScheme, UsageError
from resnet_edge.core.runtime_floor import floors
from resnet_edge.workers.progress import silent

BOTH = ("tflite", "onnx")
EVERYWHERE = ("litert", "onnxruntime")


def each_scale(schemes: tuple[str, ...], runtimes: str = "") -> PlanArtifacts:
    """A scale for each output of dense layers, on runtimes from some on."""
    oldest = floors(runtimes) if runtimes else ()
    return PlanArtifacts(
        formats=("tflite",),
        schemes=schemes,
        backends=("litert",),
        io="float32",
        runtimes=oldest,
        dense_scales="per-channel",
    )


@pytest.mark.parametrize("runtimes", ["", "tflite>=2.17", "litert>=1.0"])
def test_a_scale_for_each_output_is_made_for_runtimes_that_know_it(runtimes: str) -> None:
    planned = plan(each_scale(("dynamic", "int8"), runtimes), silent)
    assert [job.scheme for job in planned.jobs] == ["dynamic", "int8"]


def test_slow_proofs_begin_first_and_the_order_asked_for_is_kept() -> None:
    planned = plan(
        PlanArtifacts(formats=BOTH, schemes=("fp32", "int8", "int16x8"), backends=EVERYWHERE, io="float32"),
        silent,
    )
    assert [*planned.by_scheme()] == ["int16x8", "fp32", "int8"]
    assert [(job.scheme, job.format) for job in planned.jobs] == [
        *(("fp32", "tflite"), ("fp32", "onnx"), ("int8", "tflite"), ("int8", "onnx"), ("int16x8", "tflite"))
    ]
    (note,) = planned.notes
    assert "no int16x8 in onnx" in note


def test_channels_come_first_where_a_format_can_and_that_is_told() -> None:
    planned = plan(
        PlanArtifacts(
            formats=BOTH, schemes=("fp32",), backends=EVERYWHERE, io="float32", channels_first=True
        ),
        silent,
    )
    assert {job.format: job.channels_first for job in planned.jobs} == {"tflite": False, "onnx": True}
    (note,) = planned.notes
    assert "onnx files take images as (N, C, H, W)" in note


def test_an_artifact_is_proved_where_it_opens() -> None:
    planned = plan(PlanArtifacts(formats=BOTH, schemes=("fp32",), backends=EVERYWHERE, io="float32"), silent)
    assert [[place.backend for place in job.targets] for job in planned.jobs] == [["litert"], ["onnxruntime"]]


@pytest.mark.parametrize(
    ("request_", "error", "text"),
    [
        (
            PlanArtifacts(formats=("onnx",), schemes=("int16x8",), backends=("onnxruntime",), io="float32"),
            UnsupportedScheme,
            "int16x8",
        ),
        (
            PlanArtifacts(formats=BOTH, schemes=("fp32",), backends=("litert",), io="float32"),
            UsageError,
            "opens onnx",
        ),
        (
            PlanArtifacts(formats=BOTH, schemes=("fp32", "int8"), backends=EVERYWHERE, io="uint8"),
            UsageError,
            "--io uint8",
        ),
        (
            PlanArtifacts(
                formats=BOTH, schemes=("int8",), backends=EVERYWHERE, io="uint8", integer_scores=True
            ),
            UsageError,
            "add --io int8",
        ),
        (
            PlanArtifacts(
                formats=("tflite",), schemes=("fp32",), backends=EVERYWHERE, io="float32", channels_first=True
            ),
            UsageError,
            "--nchw is for ONNX",
        ),
        (
            PlanArtifacts(formats=BOTH, schemes=("int9",), backends=EVERYWHERE, io="float32"),
            UnknownName,
            "int9",
        ),
        (
            PlanArtifacts(
                formats=BOTH, schemes=("fp32",), backends=("litert:npu", "onnxruntime"), io="float32"
            ),
            UsageError,
            "npu",
        ),
        (
            each_scale(("fp32", "fp16")),
            UsageError,
            "per-channel is for int8 weights: add int8",
        ),
        (
            each_scale(("int8",), "tflite>=2.5"),
            UsageError,
            "in int8 needs TensorFlow Lite 2.13, and",
        ),
        (
            each_scale(("int8", "dynamic"), "tflite>=2.13"),
            UsageError,
            "dynamic needs TensorFlow Lite 2.17",
        ),
        (each_scale(("int16x8",), "tflite_micro>=2023"), UsageError, "needs TFLite Micro 2024-09-27"),
    ],
)
def test_what_cannot_be_done_is_refused(request_: PlanArtifacts, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        plan(request_, silent)
