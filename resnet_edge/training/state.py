"""Runs in a worker. What a saved model is at this point of its lineage, and what a step changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.proportion import drop_points, wilson
from resnet_edge.core.sidecar import State, Step
from resnet_edge.core.tolerances import MAX_DROP_PP
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.training.network_content import network_content
from resnet_edge.training.training_data import LabelledImages
from resnet_edge.workers.progress import silent

Right = NDArray[np.float64]
"""What a model gets right of each image, (N,): `fit.share_right`."""


def state_of(request: ModelRequest, right: Right | None, images: LabelledImages | None) -> State:
    """Open a model file, as any later command will, and measure it.

    `right` is of `images`. A model that is no single file has no size. Raises ModelError where it does not
    open.
    """
    facts = open_model(request, silent).facts
    measured = images if right is not None else None
    file = Path(request.source)
    content = network_content(file) if file.is_file() else b""
    return State(
        sha256=sha256_of(file) if content else facts.sha256,
        parameters=facts.parameters,
        macs=facts.macs,
        file_bytes=len(content),
        gzip_bytes=len(gzip.compress(content, 9, mtime=0)) if content else 0,
        top1=None if right is None else float(right.mean()),
        top1_ci95=None if right is None else wilson(float(right.sum()), len(right)),
        n=0 if measured is None else len(measured),
        images="" if measured is None else measured.name,
        images_sha256="" if measured is None else measured.sha256(),
    )


def change_ci95_pp(before: Right | None, after: Right | None) -> tuple[float, float] | None:
    """The 95 % interval of the accuracy after less that before, in percentage points, paired image by image.

    Of several labels an image counts by the fraction of them that changed: whatever they have to do with each
    other, the interval is not too narrow."""
    if before is None or after is None:
        return None
    change = after - before
    drop = drop_points(len(change), float(-change[change < 0].sum()), float(change[change > 0].sum()))
    return -drop.high, -drop.low


def few_images_note(step: Step) -> tuple[str, ...]:
    """What to say where the images do not show whether the accuracy became better or worse, and it may have
    dropped by more than `convert` permits."""
    between = step.top1_change_ci95_pp
    if between is None or not between[0] < -MAX_DROP_PP <= 0 <= between[1]:
        return ()
    return (
        f"{step.after.images} prove neither a gain nor a loss: top-1 may have changed by {between[0]:+.1f} "
        f"to {between[1]:+.1f} pp; hold out more with --validation, or give more photos",
    )
