"""Models of users' classes as functional ones: the same answers, or the line that keeps them from it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.as_functional import as_functional
from resnet_edge.models.functional.flat import flat_graph
from tests.models import nets, subclassed
from tests.models.subclassed import SHAPE
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS


def _same(model: keras.Model) -> keras.Model:
    rebuilt = as_functional(model, SHAPE, "net").model
    batch = subclassed.images()
    expected = np.asarray(keras.tree.flatten(model(batch, training=False))[0])
    np.testing.assert_allclose(np.asarray(rebuilt(batch, training=False)), expected, rtol=1e-4, atol=1e-5)
    return rebuilt


@pytest.mark.parametrize(
    "kind", [subclassed.Net, subclassed.Shared, subclassed.OwnWeights, subclassed.Functions]
)
def test_a_class_becomes_a_functional_model_with_the_same_answers(kind: type) -> None:
    model = subclassed.built(kind)
    rebuilt = _same(model)
    assert all(type(layer).__module__.startswith("keras.") for layer in rebuilt.layers)
    assert rebuilt.count_params() >= model.count_params()  # layers where Keras does not look count now


def test_users_layers_in_a_functional_model_are_opened() -> None:
    image = keras.Input(SHAPE)
    x = subclassed.Block(8)(subclassed.MyConv(8)(layers.Rescaling(1 / 255.0)(image)))
    rebuilt = _same(keras.Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D()(x))))
    kinds = [call.kind for call in flat_graph(rebuilt, SHAPE).calls]
    assert "Block" not in kinds
    assert kinds.count("Add") == 1
    assert kinds.count("Conv2D") == 3


def test_layers_are_named_as_in_the_summary_and_apart_where_blocks_repeat_them() -> None:
    names = [
        layer.name for layer in as_functional(subclassed.built(subclassed.Net), SHAPE, "net").model.layers
    ]
    assert len(set(names)) == len(names)
    convolutions = [name for name in names if name.endswith("_conv")]
    assert len(convolutions) == 8
    assert all("conv_bn" in name for name in convolutions)
    assert [name for name in names if name.startswith("add")] == ["add", "add_1", "add_2"]


def test_dropout_and_batch_normalization_train() -> None:
    rebuilt = as_functional(subclassed.built(subclassed.Functions), SHAPE, "net").model
    (norm, *_) = (each for each in rebuilt.layers if isinstance(each, layers.BatchNormalization))
    before = np.array(norm.moving_mean)
    rebuilt(subclassed.images(), training=True)
    assert not np.allclose(before, np.array(norm.moving_mean))


def test_a_model_of_keras_stays_as_it_is() -> None:
    model = nets.classifier()
    assert as_functional(model, nets.SHAPE, "net").model is model


def test_the_users_model_is_left_as_it_was() -> None:
    model = subclassed.built(subclassed.Shared)
    seen = model.seen
    as_functional(model, SHAPE, "net")
    assert model.seen is seen


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            subclassed.Branching,
            r"subclassed.py, line \d+, in call: `if tf.reduce_mean\(x\) > 0:`: it branches",
        ),
        (subclassed.Mapped, r"subclassed.py, line \d+, in call: `return self.dense\(tf.map_fn"),
        (subclassed.Derived, r"computes with weights of its own, kernel"),
        (subclassed.Random, "other answers than the layers that it calls"),
    ],
)
def test_what_has_no_graph_is_opened_and_the_line_is_named(kind: type, says: str) -> None:
    opened = _opened(subclassed.built(kind), input_shape=SHAPE)
    assert isinstance(opened.trackable, kind)
    with pytest.raises(ModelError, match=says):
        flat_graph(opened.trackable, SHAPE)


def test_weights_that_are_made_in_each_call_are_refused() -> None:
    model = subclassed.MadeInCall()
    model(keras.ops.zeros((1, *SHAPE)))
    with pytest.raises(ModelError, match=r"makes the layer dense\S* \(Dense\) anew in each call"):
        _opened(model)


def test_what_was_rebuilt_is_said() -> None:
    opened = _opened(subclassed.built(subclassed.Net), preprocess=None)
    assert opened.facts.read_as == (
        "the graph of the class Net was taken from one call of it in inference mode, with the same weights",
    )
    assert opened.facts.preprocessing.name == "model"  # its `x / 255.0` is found
    assert opened.original is not None
    assert isinstance(opened.original.model, subclassed.Net)


class _Own(keras.Model):
    """A user's class of a functional model, which no file holds."""


def test_a_users_class_of_a_functional_model_is_one_of_keras_afterwards() -> None:
    image = keras.Input(SHAPE)
    rebuilt = _same(_Own(image, layers.Dense(4)(layers.Flatten()(image))))
    assert type(rebuilt).__module__.startswith("keras.")
