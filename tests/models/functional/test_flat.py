"""Tests of the flat list of calls: nested, shared and operator-made graphs give what Keras gives."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import FlatGraph, copied, copy_weights, flat_graph, rebuild
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _copy(graph: FlatGraph) -> keras.Model:
    model = rebuild(graph, copied)
    copy_weights(graph, model)
    return model


def _operators() -> keras.Model:
    """A network written with `/`, `+` and keras.ops, as users do."""
    image = keras.Input(nets.SHAPE)
    x = layers.Conv2D(4, 3, name="conv")(image / 255.0)
    x = keras.ops.relu(x + 2 * x) - 1
    return nets.randomized(keras.Model(image, nets.head(x), name="operators"))


def _shared() -> keras.Model:
    """One convolution and one ReLU, each called twice."""
    image = keras.Input(nets.SHAPE)
    conv, relu = layers.Conv2D(3, 3, padding="same", name="conv"), layers.ReLU(name="relu")
    x = relu(conv(relu(conv(image))))
    return nets.randomized(keras.Model(image, nets.head(x), name="shared"))


def _open_sized() -> keras.Model:
    """A trunk for images of any size inside a classifier of one."""
    image = keras.Input(nets.SHAPE)
    inner = nets.trunk((None, None, 3))
    return nets.randomized(keras.Model(image, nets.head(inner(image)), name="open"))


NETWORKS = [nets.classifier, nets.flat, nets.transfer, _operators, _shared, _open_sized]


@pytest.mark.parametrize("build", NETWORKS)
def test_a_rebuilt_model_computes_the_same(build: Callable[[], keras.Model]) -> None:
    model = build()
    twin = _copy(flat_graph(model, nets.SHAPE))
    batch = nets.images()
    np.testing.assert_allclose(nets.outputs(twin, batch), nets.outputs(model, batch), rtol=0, atol=1e-6)
    assert twin.count_params() == model.count_params()
    assert not any(isinstance(layer, keras.Model) for layer in twin.layers)


def test_layers_of_nested_models_bear_the_name_of_the_model() -> None:
    names = [call.name for call in flat_graph(nets.classifier(), nets.SHAPE).calls]
    assert names[:3] == ["trunk_stem", "trunk_stem_bn", "trunk_stem_relu"]
    assert names[-2:] == ["pool", "head"]


def test_the_calls_of_a_shared_layer_have_names_of_their_own() -> None:
    graph = flat_graph(_shared(), nets.SHAPE)
    assert [call.name for call in graph.calls if call.kind == "Conv2D"] == ["conv", "conv_call2"]
    assert graph.calls[0].operation is graph.calls[2].operation


def test_every_size_is_known_where_the_image_has_one() -> None:
    for build in (_open_sized, nets.flat, nets.transfer):
        shapes = [call.shape for call in flat_graph(build(), nets.SHAPE).calls]
        assert all(None not in shape[1:] for shape in shapes)
    assert flat_graph(_open_sized(), nets.SHAPE).calls[0].shape == (None, 8, 8, 6)


def test_who_makes_and_who_reads_a_tensor() -> None:
    graph = flat_graph(nets.classifier(), nets.SHAPE)
    stem = graph.calls[0]
    assert graph.producer(stem.output) is stem
    assert graph.producer(graph.input) is None
    relu = graph.calls[2]
    assert [call.name for call in graph.consumers(relu.output)] == ["trunk_block", "trunk_add"]


def test_changes_of_the_config_arrive_in_the_copy() -> None:
    call = flat_graph(nets.classifier(), nets.SHAPE).calls[0]
    layer = copied(call, filters=2)
    assert (layer.name, layer.filters, layer.kernel_size) == ("trunk_stem", 2, (3, 3))


def test_weights_of_another_shape_are_not_copied() -> None:
    graph = flat_graph(nets.flat(), nets.SHAPE)
    first = graph.calls[0]
    model = rebuild(graph, lambda call: copied(call, use_bias=True) if call is first else copied(call))
    with pytest.raises(ModelError, match=f"the layer {first.name} has other weights"):
        copy_weights(graph, model)


def test_a_model_with_two_outputs_is_refused() -> None:
    image = keras.Input(nets.SHAPE)
    model = keras.Model(image, [nets.head(image), image], name="two")
    with pytest.raises(ModelError, match="two has 1 inputs and 2 outputs"):
        flat_graph(model, nets.SHAPE)


class _Wild(keras.Model):
    def call(self, inputs: object) -> object:
        raise RuntimeError("not on symbolic tensors")


def test_a_model_whose_graph_is_hidden_is_refused() -> None:
    with pytest.raises(ModelError, match="give package.module:factory"):
        flat_graph(_Wild(name="wild"), nets.SHAPE)
