"""Accuracies before and after a step, with their intervals. Whole states: tests/cli/test_prune_channel.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resnet_edge.core.proportion import paired_drop
from resnet_edge.core.sidecar import State, Step
from resnet_edge.training.state import change_ci95_pp, few_images_note

AFTER = State(
    sha256="", parameters=1, macs=1, file_bytes=1, gzip_bytes=1, top1=1.0, n=4, images="4 held-out images"
)
STEP = Step(step="qat", title="", command="", resnet_edge="", after=AFTER, before=AFTER)


def test_the_change_is_paired_image_by_image_and_rises_where_more_is_right() -> None:
    before, after = np.ones(100), np.ones(100)
    before[:30], after[30:32] = 0, 0  # 30 gained, 2 lost
    between = change_ci95_pp(before, after)
    assert between is not None
    assert between == pytest.approx([-100 * end for end in reversed(paired_drop(100, 2, 30))])
    assert 0 < between[0] < 28 < between[1]
    assert change_ci95_pp(None, after) is None


def test_labels_of_one_image_are_no_further_images() -> None:
    """Ten labels of 20 images that change together: as wide as 20 images are, and not as 200."""
    before, after = np.zeros(20), np.zeros(20)
    after[:5] = 1.0
    whole = change_ci95_pp(before, after)
    half = change_ci95_pp(before, after / 2)
    assert whole is not None
    assert half is not None
    assert whole == pytest.approx([-100 * end for end in reversed(paired_drop(20, 0, 5))])
    assert half[1] - half[0] > (whole[1] - whole[0]) / 2


def test_few_images_are_said_to_prove_nothing() -> None:
    right = np.ones(4)
    (note,) = few_images_note(replace(STEP, top1_change_ci95_pp=change_ci95_pp(right, right)))
    assert note.startswith(
        "4 held-out images prove neither a gain nor a loss: top-1 may have changed by -49.0 to +49.0"
    )
    right = np.ones(10_000)
    assert few_images_note(replace(STEP, top1_change_ci95_pp=change_ci95_pp(right, right))) == ()
    assert few_images_note(STEP) == ()
