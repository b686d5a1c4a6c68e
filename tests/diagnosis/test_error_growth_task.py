"""Of which artifacts the growth of errors is measured, on how many images, beside which float graph."""

from __future__ import annotations

import pytest

from resnet_edge.calibrate.calibration_task import Calibration, Trial
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.head import Head
from resnet_edge.diagnosis.error_growth_task import MeasureErrorGrowth, error_growth_requests
from tests.diagnosis.judgements import IMAGES

REPAIRED = Calibration(
    portable="repaired.tflite",
    exact="equalized.tflite",
    ranges="ranges.json",
    tensors=9,
    n=8,
    judged=4,
    chosen=Trial("minmax", (), 30.0),
    tried=(),
    skipped=(),
    limits="limits.json",
    outputs="outputs.npy",
)


def requests(
    *schemes: str, macs: int | None = None, calibrated: Calibration | None = None
) -> list[MeasureErrorGrowth]:
    artifacts = [
        Artifact(
            path=f"net.{scheme}.{format}",
            format=format,
            scheme=scheme,
            size_bytes=1,
            sha256="",
            inputs=(),
            outputs=(),
        )
        for scheme in schemes
        for format in ("tflite", "onnx")
    ]
    head = Head.of_classes(5, "logits")
    return error_growth_requests(artifacts, "float.tflite", head, calibrated, IMAGES, macs)


def test_tflite_files_with_integer_weights_are_measured() -> None:
    of_schemes = requests("fp32", "fp16", "dynamic", "int8", "int16x8")
    assert [each.file for each in of_schemes] == [
        "net.dynamic.tflite",
        "net.int8.tflite",
        "net.int16x8.tflite",
    ]


def test_calibration_may_have_equalized_what_needs_it() -> None:
    """Dynamic range is made from the model as it is."""
    exact_graphs = {each.file: each.exact for each in requests("dynamic", "int8", calibrated=REPAIRED)}
    assert exact_graphs == {"net.dynamic.tflite": "float.tflite", "net.int8.tflite": "equalized.tflite"}
    assert requests("int8")[0].exact == "float.tflite"


@pytest.mark.parametrize(
    ("macs", "n"), [(None, 8), (1, 16), (10**9, 16), (16 * 10**8, 10), (4 * 10**9, 8), (10**12, 8)]
)
def test_a_larger_network_is_watched_on_fewer_images(macs: int | None, n: int) -> None:
    assert requests("int8", macs=macs)[0].n == n
