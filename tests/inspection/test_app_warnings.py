"""What in a file goes wrong in an app."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.metadata import LabelFile, ModelMetadata
from resnet_edge.inspection.app_warnings import of_inputs, of_metadata, of_tflite
from tests.formats.metadata.five_classes import GREY

IMAGE, SCORES = TensorSpec("image", (1, 8, 8, 1), "float32"), TensorSpec("logits", (1, 5), "float32")
IMAGES = {
    "float32": IMAGE,
    "uint8": replace(IMAGE, dtype="uint8", quantization=Quantization((1 / 255,), (0,))),
    "int8": replace(IMAGE, dtype="int8", quantization=Quantization((1.0,), (-128,))),
}
"""Of pixels as they are, but for uint8, which stands for 0 to 1."""


def changed(**image: object) -> ModelMetadata:
    return replace(GREY, image=replace(GREY.image, **image))  # type: ignore[arg-type]  # fields by name


def labelled(*labels: str) -> ModelMetadata:
    return replace(GREY, scores=replace(GREY.scores, labels=(LabelFile("l.txt", labels),)))


@pytest.mark.parametrize(
    ("dtype", "metadata", "words"),
    [
        ("float32", GREY, []),
        ("float32", None, ["opens no float32 file without"]),
        ("int8", None, []),
        ("float32", changed(mean=(), std=()), ["no mean and std for a float32 input"]),
        ("uint8", GREY, ["uint8, for which apps ignore"]),
        ("float32", changed(mean=(1.0, 2.0, 3.0), std=(1.0,) * 3), ["for each channel"]),
        ("float32", changed(width=9), ["says 9 x 8 pixels, the file 8 x 8"]),
        ("float32", changed(width=0, height=0, colour_space="unknown"), []),
        ("float32", changed(colour_space="RGB"), ["says RGB, and the file takes 1 channels"]),
        ("float32", labelled("a", "b"), ["2 labels, and the file gives 5 scores"]),
        ("float32", labelled("a", "b", " ", "", "e"), ["2 empty labels"]),
        ("float32", replace(GREY, scores=replace(GREY.scores, labels=())), ["no labels"]),
        ("float32", replace(GREY, scores=replace(GREY.scores, name="")), ["names no output"]),
    ],
)
def test_metadata_that_apps_stumble_over(
    dtype: str, metadata: ModelMetadata | None, words: list[str]
) -> None:
    warnings = of_metadata(metadata, (IMAGES[dtype],), (SCORES,))
    assert len(warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, warnings, strict=True))


def test_the_graph_that_apps_stumble_over() -> None:
    rgb = replace(IMAGE, shape=(1, 8, 8, 3))
    assert of_tflite((rgb,), ["CONV_2D"]) == []
    assert "1 channel:" in of_tflite((IMAGE,), [])[0]
    assert "not fixed" in of_tflite((replace(rgb, shape=(None, 8, 8, 3)),), [])[0]
    assert "int8" in of_tflite((replace(rgb, dtype="int8"),), [])[0]
    assert "FlexErf" in of_tflite((rgb,), ["CUSTOM:FlexErf"])[0]


@pytest.mark.parametrize(
    ("dtype", "scale", "point", "words"),
    [
        ("uint8", 1.0, 0, ""),
        ("uint8", 0.9999, 0, ""),
        ("uint8", 1 / 127.5, 128, "for -1.004 to 0.9961"),
        ("int8", 1.0, -128, ""),
        ("int8", 1 / 255, -128, "for 0 to 1,"),
    ],
)
def test_what_an_integer_input_takes_pixels_for(dtype: str, scale: float, point: int, words: str) -> None:
    spec = TensorSpec("image", (1, 8, 8, 3), dtype, Quantization((scale,), (point,)))
    warnings = of_inputs((spec,), "")
    assert len(warnings) == bool(words)
    assert all(words in warning for warning in warnings)
    metadata = changed(mean=(128.0,), std=(127.5,), colour_space="RGB")
    warned = any("apps ignore" in warning for warning in of_metadata(metadata, (spec,), (spec,)))
    assert warned == (point != 128)


@pytest.mark.parametrize(
    ("dtype", "scale", "point", "words"),
    [
        ("int16", 1 / 32767, 0, "(int16) holds nothing above 1, "),
        ("int16", 255 / 32767, 0, ""),
        ("uint8", 0.4, 0, "for 0 to 102, by its scale and zero point: wrong where the training saw 0 to 255"),
        ("int8", 255 / 127, 0, "an app has to quantize them"),
        ("uint8", 1 / 255, 0, "for 0 to 1, by its scale and zero point: right only where"),
    ],
)
def test_what_an_integer_input_makes_of_pixels_is_what_verify_makes_of_them(
    dtype: str, scale: float, point: int, words: str
) -> None:
    spec = TensorSpec("image", (1, 8, 8, 3), dtype, Quantization((scale,), (point,)))
    warnings = of_inputs((spec,), "")
    assert len(warnings) == bool(words)
    assert all(words in warning for warning in warnings)


def test_metadata_of_another_number_of_ends_is_not_read_further() -> None:
    (warning,) = of_metadata(GREY, (IMAGE, IMAGE), (SCORES,))
    assert warning == "the metadata is of one input and one output, and the file has 2 and 1"


def test_an_input_that_is_no_image_is_told() -> None:
    (warning,) = of_metadata(GREY, (replace(IMAGE, shape=(1, 64)),), (SCORES,))
    assert warning == "image is no image (batch, height, width, channels)"


def test_a_size_that_is_not_fixed_has_the_consequence_of_its_format() -> None:
    (warning,) = of_inputs((replace(IMAGE, shape=(None, 8, 8, 1)),), "NNAPI takes no node of it")
    assert warning == "image has a size that is not fixed: NNAPI takes no node of it"
