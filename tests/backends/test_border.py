"""What every backend checks at its border; tests/contracts/test_backends.py asks the backends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends._border import check_device, check_file, misfit, specs_of, the_classifier
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable

PATH = Path("net.onnx")
IMAGE, SCORES = TensorSpec("x", (None, 8, 8, 3), "float32"), TensorSpec("y", (None, 5), "float32")


def spec(shape: tuple[int | None, ...], dtype: str = "float32") -> TensorSpec:
    return TensorSpec("odd", shape, dtype)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8", "int16"])
def test_a_classifier_is_one_image_and_one_score_per_class(dtype: str) -> None:
    ends = spec((1, 8, 8, 3), dtype), spec((1, 5), dtype)
    assert the_classifier(PATH, [ends[0]], [ends[1]]) == ends
    assert the_classifier(PATH, [IMAGE], [SCORES]) == (IMAGE, SCORES)


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ([], [SCORES], "takes nothing, and an image classifier takes one image"),
        ([IMAGE, spec((1,))], [SCORES], "takes 'x', 'odd', and an image classifier takes one image"),
        ([IMAGE], [], "has 0 outputs, and an image classifier has one"),
        ([IMAGE], [SCORES, SCORES], "has 2 outputs"),
        ([spec((1, None, 8, 3))], [SCORES], r"any size \(1, any, 8, 3\), .* --input-shape H,W,C"),
        ([spec((1, 64))], [SCORES], r"takes \(1, 64\), and not images"),
        ([IMAGE], [spec((1, 2, 2, 5))], r"gives \(1, 2, 2, 5\), and not one score per class"),
        ([IMAGE], [spec((1, None))], r"gives \(1, any\), and not one score per class"),
        ([spec((1, 8, 8, 3), "float16")], [SCORES], "'odd' in float16, and this backend runs float32, uint8"),
        ([IMAGE], [spec((1, 5), "int64")], "'odd' in int64"),
        ([spec((1, 2**20, 2**20, 3), "uint8")], [SCORES], "bytes of memory are free"),
    ],
)
def test_anything_else_is_told(inputs: list[TensorSpec], outputs: list[TensorSpec], words: str) -> None:
    with pytest.raises(ArtifactError, match=f"^net.onnx .*{words}"):
        the_classifier(PATH, inputs, outputs)


def test_halves_are_for_runtimes_that_numpy_feeds() -> None:
    ends = spec((1, 8, 8, 3), "float16"), spec((1, 5), "float16")
    assert the_classifier(PATH, [ends[0]], [ends[1]], halves=True) == ends


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((2, 8, 8, 3), "float32", None),
        ((2, 8, 8, 3), "float64", "'x' takes float32, and the images are float64"),
        ((2, 8, 9, 3), "float32", "'x' takes (any, 8, 8, 3), and the images are (2, 8, 9, 3)"),
        ((8, 8, 3), "float32", "'x' takes (any, 8, 8, 3), and the images are (8, 8, 3)"),
        ((0, 8, 8, 3), "float32", "'x' takes at least one image"),
    ],
)
def test_images_that_do_not_fit_are_told_both_shapes(
    shape: tuple[int, ...], dtype: str, words: str | None
) -> None:
    assert misfit(np.zeros(shape, dtype), IMAGE) == words


def test_a_file_has_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    for name, words in (
        ("gone.onnx", "is not a file: name"),
        ("empty.onnx", "is empty: convert"),
        (".", "is"),
    ):
        with pytest.raises(ArtifactError, match=words):
            check_file(tmp_path / name)


def test_a_device_is_told_with_the_choices() -> None:
    check_device("litert", "cpu", {"cpu", "gpu"}, "why")
    with pytest.raises(DeviceUnavailable, match=r"litert has no device 'npu' \(why\); choose from: cpu, gpu"):
        check_device("litert", "npu", {"gpu", "cpu"}, "why")


def test_what_a_program_says_of_its_ends_becomes_specs() -> None:
    assert specs_of([{"name": "y", "shape": [None, 5], "dtype": "float32"}]) == [SCORES]
