"""Channels that are scaled where they are made and divided where they are read, and such that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from keras import layers
from onnx import numpy_helper

from resnet_edge.core.results.explanation import Explanation
from resnet_edge.graph.quantization.weighted import write_constants
from tests.diagnosis.layers.test_compare import explained, put
from tests.diagnosis.layers.test_search import constant
from tests.formats import nets
from tests.graph.quantization.test_equalize import equalized
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
FACTORS = np.geomspace(1, 8, 8, dtype=np.float32)


def scaled(road: Road, out: Path, *, divides: bool) -> tuple[Explanation, str]:
    """The fp32 ONNX file of `residual_v1` with the channels of its second convolution scaled, and those of
    the next divided where that `divides`; and the name of the second."""
    model = onnx.load(road.artifact("onnx", "fp32")[0])
    graph = model.graph
    maker, reader = [node for node in graph.node if node.op_type == "Conv"][1:3]
    factors = FACTORS[np.arange(len(numpy_helper.to_array(constant(graph, maker.input[1])))) % len(FACTORS)]
    kernel, bias = (numpy_helper.to_array(constant(graph, name)) for name in maker.input[1:3])
    put(constant(graph, maker.input[1]), kernel * factors.reshape(-1, 1, 1, 1))
    put(constant(graph, maker.input[2]), bias * factors)
    if divides:
        read = numpy_helper.to_array(constant(graph, reader.input[1]))
        put(constant(graph, reader.input[1]), read / factors.reshape(1, -1, 1, 1))
    onnx.save(model, out / "scaled.onnx")
    return explained(road, out / "scaled.onnx", out), maker.output[0]


def test_channels_that_are_divided_again_are_no_error(roads: Callable[[str], Road], tmp_path: Path) -> None:
    explanation, _ = scaled(roads("residual_v1"), tmp_path, divides=True)
    assert explanation.findings == ()


def test_channels_that_are_not_divided_again_are_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    explanation, name = scaled(roads("residual_v1"), tmp_path, divides=False)
    assert explanation.findings[0].certain
    assert explanation.findings[0].layer == name


def fire(x: Any) -> Any:
    """F. Iandola et al., arXiv:1602.07360, and its bypass: channels of two layers that are not scaled."""
    x = layers.MaxPooling2D(3, 2)(nets.conv(x, 24, strides=2, padding="valid", activation="relu"))
    for squeezed in (8, 10):
        y = nets.conv(x, squeezed, 1, activation="relu")
        y = layers.Concatenate()([nets.conv(y, 20, size, activation="relu") for size in (1, 3)])
        x = y if squeezed == 8 else layers.Add()([x, y])
    return nets.conv(layers.MaxPooling2D(3, 2)(x), 12, 1, activation="relu")


def test_a_scaled_stem_in_another_form_is_no_error(tmp_path: Path) -> None:
    """Its weights tell nothing (their shape is another), so that its factors are estimated: those of tensors
    that do not depart would be noise."""
    model = nets.classifier(fire, (32, 32, 3))
    (tmp_path / "scaled").mkdir()
    plain = road(model, nets.images(model), tmp_path)
    write_constants(plain.float_graph, equalized(plain).constants, tmp_path / "scaled" / "float.tflite")
    path, _ = replace(plain, folder=tmp_path / "scaled").artifact("tflite", "int8")
    assert b"space_to_depth" in path.read_bytes()
    assert explained(plain, path, tmp_path).findings == ()
