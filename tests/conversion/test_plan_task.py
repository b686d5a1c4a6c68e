"""Tests of conversion.plan_task: the order in which artifacts are made."""

from __future__ import annotations

from resnet_edge.conversion.plan_task import Plan
from resnet_edge.evaluation.job import Job, Target


def job(scheme: str, format: str, *, calibrated: bool = False) -> Job:
    return Job(
        format=format,
        scheme=scheme,
        suffix=f".{format}",
        needs_calibration=calibrated,
        min_sqnr_db=None,
        targets=(Target("litert", "cpu"),),
    )


def test_formats_of_a_scheme_share_its_graph_and_keep_their_order() -> None:
    jobs = job("fp32", "tflite"), job("int8", "tflite"), job("fp32", "onnx"), job("int8", "onnx")
    groups = Plan(jobs, ()).by_scheme()
    assert {scheme: [each.format for each in of_scheme] for scheme, of_scheme in groups.items()} == {
        "fp32": ["tflite", "onnx"],
        "int8": ["tflite", "onnx"],
    }


def test_images_are_needed_where_one_artifact_needs_them() -> None:
    assert Plan((job("fp32", "onnx"), job("int8", "onnx", calibrated=True)), ()).needs_calibration
    assert not Plan((job("fp32", "onnx"),), ()).needs_calibration
    assert not Plan((), ()).needs_calibration
    assert Plan((), ()).by_scheme() == {}
