"""What is settled before any work."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UnknownName, UnsupportedScheme, UsageError
from resnet_edge.core.progress import silent
from resnet_edge.core.runtime_floor import floors
from resnet_edge.stages.plan import plan
from resnet_edge.stages.plan_request import PlanRequest

BOTH = ("tflite", "onnx")
EVERYWHERE = ("litert", "onnxruntime")


def each_scale(schemes: tuple[str, ...], runtimes: str = "") -> PlanRequest:
    """A scale for each output of dense layers, on runtimes from some on."""
    asked = floors(runtimes) if runtimes else ()
    return PlanRequest(
        ("tflite",), schemes, ("litert",), "float32", runtimes=asked, dense_scales="per-channel"
    )


@pytest.mark.parametrize("runtimes", ["", "tflite>=2.17", "litert>=1.0"])
def test_a_scale_for_each_output_is_made_for_runtimes_that_know_it(runtimes: str) -> None:
    found = plan(each_scale(("dynamic", "int8"), runtimes), silent)
    assert [job.scheme for job in found.jobs] == ["dynamic", "int8"]


def test_slow_proofs_begin_first_and_the_order_asked_for_is_kept() -> None:
    found = plan(PlanRequest(BOTH, ("fp32", "int8", "int16x8"), EVERYWHERE, "float32"), silent)
    assert [*found.by_scheme()] == ["int16x8", "fp32", "int8"]
    assert [(job.scheme, job.format) for job in found.jobs] == [
        *(("fp32", "tflite"), ("fp32", "onnx"), ("int8", "tflite"), ("int8", "onnx"), ("int16x8", "tflite"))
    ]
    (note,) = found.notes
    assert "no int16x8 in onnx" in note


def test_an_artifact_is_proved_where_it_opens() -> None:
    found = plan(PlanRequest(BOTH, ("fp32",), EVERYWHERE, "float32"), silent)
    assert [[place.backend for place in job.places] for job in found.jobs] == [["litert"], ["onnxruntime"]]


@pytest.mark.parametrize(
    ("request_", "error", "text"),
    [
        (PlanRequest(("onnx",), ("int16x8",), EVERYWHERE, "float32"), UnsupportedScheme, "int16x8"),
        (PlanRequest(BOTH, ("fp32",), ("litert",), "float32"), UsageError, "opens onnx"),
        (PlanRequest(BOTH, ("fp32", "int8"), EVERYWHERE, "uint8"), UsageError, "--io uint8"),
        (PlanRequest(BOTH, ("int8",), EVERYWHERE, "uint8", True), UsageError, "add --io int8"),
        (PlanRequest(BOTH, ("int9",), EVERYWHERE, "float32"), UnknownName, "int9"),
        (PlanRequest(BOTH, ("fp32",), ("litert:npu", "onnxruntime"), "float32"), UsageError, "npu"),
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
def test_what_cannot_be_done_is_refused(request_: PlanRequest, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        plan(request_, silent)
