"""Tests of data.image_set."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.image_set import check_class_numbers, check_size, on_stderr
from resnet_edge.workers.progress import Progress


def test_more_classes_than_images_is_a_mistake() -> None:
    check_class_numbers(np.array([0, 1, 2]), "d.npz")
    check_class_numbers(np.array([], np.int64), "d.npz")
    with pytest.raises(DataError, match=r"d\.npz has class 3 at image 1, and 3 images in all: number the"):
        check_class_numbers(np.array([0, 3, 2]), "d.npz")


def test_images_of_another_size_are_told_both_sizes() -> None:
    check_size((8, 8, 3), "photos", None)
    check_size((8, 8, 3), "photos", (8, 8, 3))
    with pytest.raises(DataError, match="photos holds 8x8x1 images, and the model takes 8x8x3: resize them"):
        check_size((8, 8, 1), "photos", (8, 8, 3))


def test_only_lines_that_stay_reach_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    on_stderr(Progress(step="download", done=1, total=2, note="1 of 2"))
    on_stderr(Progress(step="download", note="from example.org", line=True))
    assert capsys.readouterr() == ("", "from example.org\n")
