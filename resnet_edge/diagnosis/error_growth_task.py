"""What the parent asks of diagnosis/error_growth.py, and of which artifacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resnet_edge.calibrate.calibration_task import Calibration
from resnet_edge.core.affordable import images_within
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.head import Head
from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.data.images_task import Images
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.task import Task

FEWEST, MOST = 8, 16
"""Images. Against 1,024 of them, no layer of the bundled ResNet-20 in int8 was off by more than 0.9 dB on
8 and 0.5 dB on 16 (dynamic: 1.6 and 1.0), and the layer with the largest fall was the same; on one image
it was another one, and figures were 3.7 dB off."""
WORK = 16_000_000_000
"""Multiply-accumulates, within these: a ResNet-50 is watched on 8 images, a ResNet-20 on all 16."""


@dataclass(frozen=True, kw_only=True)
class MeasureErrorGrowth(
    Task[ErrorGrowth],
    runs="resnet_edge.diagnosis.error_growth:error_growth",
    reads=(
        "path",
        "exact",
        "images",
    ),
):
    """The artifact `file` at `path`, the float graph `exact` that it is a rounded version of, the `head` of
    both, and on how many of `images` (.npy)."""

    path: str
    file: str
    exact: str
    head: Head
    images: str
    n: int


def error_growth_requests(
    artifacts: Iterable[Artifact],
    portable: str,
    head: Head,
    calibrated: Calibration | None,
    images: Images,
    macs: int | None,
) -> list[MeasureErrorGrowth]:
    """One for each quantized TFLite artifact: only LiteRT shows what is between input and output.

    Calibration may have equalized channels: then layers of the model itself have other scales, and
    those of `calibrated.exact` the same.
    """
    n = images_within(WORK, macs or WORK, FEWEST, MOST)
    requests = []
    for artifact in artifacts:
        scheme = scheme_of(artifact.scheme)
        if artifact.format != "tflite" or not scheme.weights.startswith("int"):
            continue
        exact = calibrated.exact if scheme.needs_calibration and calibrated is not None else portable
        requests.append(
            MeasureErrorGrowth(
                path=artifact.path, file=artifact.file, exact=exact, head=head, images=images.images, n=n
            )
        )
    return requests
