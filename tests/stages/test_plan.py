"""What is settled before any work."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UnknownName, UnsupportedScheme, UsageError
from resnet_edge.core.progress import silent
from resnet_edge.stages.plan import plan
from resnet_edge.stages.plan_request import PlanRequest

BOTH = ("tflite", "onnx")
EVERYWHERE = ("litert", "onnxruntime")


def test_slow_proofs_begin_first_and_the_order_asked_for_is_kept() -> None:
    found = plan(PlanRequest(BOTH, ("fp32", "int8", "int16x8"), EVERYWHERE, "float32"), silent)
    assert [*found.by_scheme()] == ["int16x8", "fp32", "int8"]
    assert [(job.scheme, job.format) for job in found.jobs] == [
        *(("fp32", "tflite"), ("fp32", "onnx"), ("int8", "tflite"), ("int8", "onnx"), ("int16x8", "tflite"))
    ]
    (note,) = found.notes
    assert "no int16x8 in onnx" in note


def test_channels_come_first_where_a_format_can_and_that_is_told() -> None:
    found = plan(PlanRequest(BOTH, ("fp32",), EVERYWHERE, "float32", channels_first=True), silent)
    assert {job.format: job.channels_first for job in found.jobs} == {"tflite": False, "onnx": True}
    (note,) = found.notes
    assert "onnx files take images as (N, C, H, W)" in note


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
        (
            PlanRequest(("tflite",), ("fp32",), EVERYWHERE, "float32", channels_first=True),
            UsageError,
            "--nchw is for ONNX",
        ),
        (PlanRequest(BOTH, ("int9",), EVERYWHERE, "float32"), UnknownName, "int9"),
        (PlanRequest(BOTH, ("fp32",), ("litert:npu", "onnxruntime"), "float32"), UsageError, "npu"),
    ],
)
def test_what_cannot_be_done_is_refused(request_: PlanRequest, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        plan(request_, silent)
