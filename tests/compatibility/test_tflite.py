"""Minimums of files whose first right release was seen (20 releases from 1.14 to 2.21 ran such)."""

from __future__ import annotations

from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.compatibility import micro
from resnet_edge.compatibility.tflite import minimums, understated
from tests.compatibility.tflite_models import TYPE, dense, file, on_three_axes, one, tensor


def convolution(given: int, weights: int, scales: int, channels: int = 8) -> Any:
    tensors = [tensor(given, 1, 4, 4, channels), tensor(weights, 4, 3, 3, 8, scales=scales)]
    tensors += [tensor(TYPE.FLOAT32, 4), tensor(given, 1, 4, 4, 4)]
    return file("CONV_2D", tensors, options=schema.Conv2DOptionsT())


def resize(half: bool) -> Any:
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = half
    image = tensor(TYPE.FLOAT32, 1, 4, 4, 8)
    return file("RESIZE_BILINEAR", [image, tensor(TYPE.INT32, 2), image], options=options)


def five_axes(name: str, dtype: int) -> Any:
    """Two operands whose shapes differ."""
    first, second = (tensor(dtype, 1, 2, size, 3, 4, scales=1) for size in (3, 1))
    return file(name, [first, second, first])


@pytest.mark.parametrize(
    ("model", "tensorflow_lite", "litert", "words"),
    [
        (dense(TYPE.FLOAT32, TYPE.FLOAT32, 0), "1.5", "1.0", "every release"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 1), "1.14", "1.0", "(float32 x int8) needs its version 3"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 4), "2.16", "1.0", "a scale for each output"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 4, version=12), "2.17", "1.0", "needs its version 12"),
        (dense(TYPE.INT8, TYPE.INT8, 4, version=4), "2.10", "1.0", "a scale for each output"),
        (dense(TYPE.INT8, TYPE.INT8, 4, version=10), "2.13", "1.0", "needs its version 10"),
        (on_three_axes(TYPE.INT8, 1), "1.15", "1.0", "needs its version 5"),
        (on_three_axes(TYPE.INT8, 4), "2.10", "1.0", "a scale for each output"),
        (on_three_axes(TYPE.INT16, 1), "2.8", "1.0", "gives more than two axes"),
        (on_three_axes(TYPE.INT16, 1, bias=False), "2.8", "1.0", "gives more than two axes"),
        (on_three_axes(TYPE.INT16, 4), "2.19", "1.1", "a scale for each output and more than two axes"),
        (on_three_axes(TYPE.INT16, 4, bias=False), "2.10", "1.0", "a scale for each output"),
        (convolution(TYPE.FLOAT32, TYPE.INT8, 4), "2.4", "1.0", "needs its version 5"),
        (convolution(TYPE.FLOAT32, TYPE.FLOAT32, 0, channels=16), "2.9", "1.0", "needs its version 6"),
        (resize(half=True), "2.2", "1.0", "needs its version 3"),
        (resize(half=False), "1.7", "1.0", "it has RESIZE_BILINEAR"),
        (one("HARD_SWISH", TYPE.INT8), "1.15", "1.0", "it has HARD_SWISH"),
        (one("GELU", TYPE.FLOAT32), "2.8", "1.0", "it has GELU"),
        (one("GELU", TYPE.INT16), "2.20", "1.3", "GELU is in int16"),
        (one("SQRT", TYPE.INT8), "2.21", "2.0", "needs its version 2"),
        (one("SUM", TYPE.INT16), "2.20", "1.3", "SUM is in int16"),
        (five_axes("MUL", TYPE.FLOAT32), "2.8", "1.0", "five axes"),
        (five_axes("DIV", TYPE.FLOAT32), "2.8", "1.0", "five axes"),
        (five_axes("MUL", TYPE.INT8), "2.15", "1.0", "five axes"),
        (five_axes("SUB", TYPE.INT8), "2.8", "1.0", "five axes"),
        (five_axes("ADD", TYPE.INT16), "2.13", "1.0", "five axes"),
    ],
)
def test_the_oldest_release_that_is_right(model: Any, tensorflow_lite: str, litert: str, words: str) -> None:
    first, second = minimums(model)
    assert (first.state, second.state) == ("known", "known")
    assert (first.version, second.version) == (tensorflow_lite, litert)
    assert words in first.why


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (file("FlexErf", [tensor(TYPE.FLOAT32, 1), tensor(TYPE.FLOAT32, 1)]), "Flex library"),
        (file("Own", [tensor(TYPE.FLOAT32, 1), tensor(TYPE.FLOAT32, 1)]), "what the app brings"),
        (one("RELU", TYPE.FLOAT32, version=99), "RELU of version 99 is in no release known here"),
    ],
)
def test_what_is_not_known_is_said(model: Any, words: str) -> None:
    for minimum in (*minimums(model), micro.minimum(model))[:2]:
        assert (minimum.state, minimum.version) == ("unknown", "")
        assert words in minimum.why


def test_a_transposed_convolution_is_told_by_its_image() -> None:
    given = [tensor(TYPE.INT32, 4), tensor(TYPE.INT8, 4, 3, 3, 8, scales=4)]
    given.append(tensor(TYPE.INT8, 1, 4, 4, 8, scales=1))
    options = schema.TransposeConvOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    model = file("TRANSPOSE_CONV", [*given, tensor(TYPE.INT8, 1, 8, 8, 4, scales=1)], options=options)
    assert minimums(model)[0].why == "TRANSPOSE_CONV (int8) needs its version 4"


def test_a_number_of_no_operator_is_not_guessed() -> None:
    model = one("RELU", TYPE.FLOAT32)
    model.operatorCodes[0].builtinCode = 5000
    assert [minimum.state for minimum in minimums(model)] == ["unknown", "unknown"]
    assert "number 5000 is newer" in minimums(model)[0].why


@pytest.mark.parametrize(
    ("said", "remarks"), [("1.6.0", 1), ("2.10.0", 0), ("2.17.0", 0), ("", 0), ("soon", 1)]
)
def test_a_file_that_says_too_little_is_told(said: str, remarks: int) -> None:
    model = dense(TYPE.INT8, TYPE.INT8, 4, version=4, said=said)
    assert len(understated(model, minimums(model))) == remarks
