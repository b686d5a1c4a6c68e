"""Tests of models._declared_sizes: what it says of a config is what Keras makes of it."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models import _declared_sizes
from resnet_edge.models._declared_sizes import _RULES, _SAME, _Sizes, check_sizes
from resnet_edge.models._file_budget import Budget
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

BUILT = {
    "mobile": lambda: keras.applications.MobileNetV2((96, 96, 3), weights=None, classes=5),
    "inception": lambda: keras.applications.InceptionV3(input_shape=(96, 96, 3), weights=None, classes=5),
    "nested": lambda: _nested(),
}


def _nested() -> keras.Model:
    image = keras.Input((12, 10, 3))
    inner = keras.Sequential([layers.UpSampling2D((2, 3)), layers.Conv2D(4, 3, strides=2)], name="inner")
    graph_in = keras.Input((None, None, 3))
    graph = keras.Model(graph_in, layers.ZeroPadding2D(((1, 2), (3, 4)))(graph_in), name="graph")
    x = inner(graph(image))
    twice = layers.Conv2D(4, 1, name="twice")
    x = layers.Add()([twice(twice(x)), x])
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))


class Recorder(Budget):
    """Counts what it is told of, and refuses nothing."""

    def __init__(self) -> None:
        super().__init__("m", None)
        self.tensors: list[tuple[int | None, ...]] = []

    def add_tensor(self, shape: tuple[int | None, ...], item: int) -> None:
        self.tensors.append(shape)


def _recorded(config: Any) -> tuple[Recorder, Any]:
    recorder = Recorder()
    shape = _Sizes(recorder).of_model(json.loads(json.dumps(config)), None)
    return recorder, shape


@pytest.mark.parametrize("name", BUILT)
def test_of_whole_networks_it_knows_the_output_and_nearly_all_weights(name: str) -> None:
    model = BUILT[name]()
    recorder, shape = _recorded(keras.saving.serialize_keras_object(model))
    assert shape == tuple(model.output.shape[1:])
    kernels = [4 * math.prod(weight.shape) for weight in model.weights if "kernel" in weight.path]
    assert recorder.weight_bytes == sum(kernels)
    largest = max(_size(layer.output.shape) for layer in model.layers if _RULES.get(type(layer).__name__))
    assert max(map(_size, recorder.tensors)) == largest or name == "nested"


def _size(shape: Any) -> int:
    return math.prod(shape[1:])


def _builds(kind: Any, *values: Any, **named: Any) -> Any:
    """To be made in the test: Keras draws seeds by itself."""
    return st.builds(partial, st.just(kind), *values, **named)


pairs = st.one_of(st.integers(1, 5), st.tuples(st.integers(1, 5), st.integers(1, 5)))
few = st.integers(1, 3)
paddings = st.sampled_from(["same", "valid"])
edges = st.one_of(
    st.integers(0, 4),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2),
)
LAYERS = st.one_of(
    _builds(layers.Conv2D, st.integers(1, 6), pairs, strides=pairs, padding=paddings),
    _builds(layers.Conv2D, st.integers(1, 6), pairs, dilation_rate=pairs, padding=paddings),
    _builds(layers.Conv2D, st.just(6), pairs, groups=st.sampled_from([1, 2]), dtype=st.just("float16")),
    _builds(layers.DepthwiseConv2D, pairs, strides=few, padding=paddings, depth_multiplier=few),
    _builds(layers.SeparableConv2D, st.integers(1, 6), pairs, strides=few, padding=paddings),
    _builds(layers.Conv2DTranspose, st.integers(1, 6), pairs, strides=pairs, padding=paddings),
    _builds(layers.MaxPooling2D, pairs, strides=st.one_of(st.none(), pairs), padding=paddings),
    _builds(layers.AveragePooling2D, pairs, padding=paddings),
    _builds(layers.GlobalMaxPooling2D, keepdims=st.booleans()),
    _builds(layers.UpSampling2D, pairs),
    _builds(layers.ZeroPadding2D, edges),
    _builds(layers.Cropping2D, edges),
    _builds(layers.Resizing, st.integers(1, 40), st.integers(1, 40)),
    _builds(layers.CenterCrop, st.integers(1, 8), st.integers(1, 8)),
    _builds(layers.Dense, st.integers(1, 9)),
    _builds(layers.Flatten),
    _builds(layers.Rescaling, st.just(2.0)),
    *map(_builds, (layers.Softmax, layers.BatchNormalization, layers.PReLU)),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(layer=LAYERS, height=st.integers(1, 24), width=st.integers(1, 24), channels=st.sampled_from([2, 4]))
def test_of_any_layer_it_says_what_keras_says(layer: Any, height: int, width: int, channels: int) -> None:
    image = keras.Input((height, width, channels))
    try:
        model = keras.Model(image, layer()(image))
    except ValueError:  # a window that is larger than the image
        return
    _, shape = _recorded(keras.saving.serialize_keras_object(model))
    assert shape == tuple(model.output.shape[1:])


def test_every_rule_is_of_a_layer_that_may_be_named_and_is_tried_above() -> None:
    from resnet_edge.models._allowed import LAYERS as ALLOWED

    assert _SAME | set(_RULES) <= ALLOWED


def test_of_what_is_not_known_it_says_nothing() -> None:
    image = keras.Input((8, 8, 3))
    x = layers.UpSampling2D(100_000)(layers.TimeDistributed(layers.Dense(3))(image))
    check_sizes(keras.saving.serialize_keras_object(keras.Model(image, x)), "m.keras", 10)
    graph = {"class_name": "Functional", "config": {"layers": 3}}
    odd: tuple[Any, ...] = (None, [], {}, {"class_name": "Sequential"}, graph)
    for each in odd:
        check_sizes(each, "m.keras", 10)


@pytest.mark.parametrize("keras2", [False, True])
def test_a_h5_file_is_refused_before_a_framework_is_imported(tmp_path: Path, keras2: bool) -> None:
    """By `look`, in a worker that has 500 MB and imports h5py alone."""
    from resnet_edge.models import ModelRequest, check_source

    model = keras.Sequential([keras.Input((16, 16, 3)), layers.UpSampling2D(30_000), layers.Flatten()])
    nets.save_h5(model, tmp_path / "m.h5")
    if keras2:
        with h5py.File(tmp_path / "m.h5", "r+") as opened:
            opened.attrs["keras_version"] = "2.15.0"
            policy = json.dumps(keras.saving.serialize_keras_object(keras.DTypePolicy("float32")))
            opened.attrs["model_config"] = opened.attrs["model_config"].replace(policy, '"float32"')
            assert "DTypePolicy" not in opened.attrs["model_config"]
    with pytest.raises(ModelError, match=r"m\.h5 has a layer that gives \(480000, 480000, 3\)"):
        check_source(ModelRequest(str(tmp_path / "m.h5")))


def test_nothing_heavy_is_imported() -> None:
    source = Path(_declared_sizes.__file__).read_text("utf-8")
    assert "import keras" not in source
    assert "numpy" not in source
