"""One call of a model on a symbolic image."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from resnet_edge.models.functional.symbolic import NoGraph, builtin_class, symbolic_run
from tests.models import nets, subclassed
from tests.models.subclassed import SHAPE

pytestmark = nets.KERAS_WARNINGS


def test_layers_of_keras_ran_and_those_of_the_user_were_entered() -> None:
    model = subclassed.built(subclassed.Net)
    run = symbolic_run(model, SHAPE)
    assert isinstance(run.outputs, keras.KerasTensor)
    assert tuple(run.outputs.shape) == (None, 4)
    assert {type(layer).__name__ for layer in run.entered} == {"Net", "ConvBN", "Block", "SqueezeExcite"}
    assert {builtin_class(layer) for layer in run.layers.values()} == {
        layers.Conv2D,
        layers.BatchNormalization,
        layers.Dense,
    }
    assert run.losses == 1
    first = model.stages[0][0].first
    assert run.owners[id(first.conv)] == (model.stages[0][0].name, first.name)


def test_nothing_of_it_stays() -> None:
    model = subclassed.built(subclassed.Net)
    call, shape = keras.Layer.__call__, keras.KerasTensor.shape
    symbolic_run(model, SHAPE)
    assert keras.Layer.__call__ is call
    assert keras.KerasTensor.shape is shape
    assert not hasattr(keras.KerasTensor, "get_shape")
    assert np.isfinite(np.asarray(model(subclassed.images()))).all()
    with pytest.raises(ValueError, match="KerasTensor cannot be used as input to a TensorFlow function"):
        tf.nn.relu(keras.Input(SHAPE))


def test_a_class_that_computes_what_keras_does_is_one_of_keras() -> None:
    assert builtin_class(subclassed.MyConv(4)) is layers.Conv2D
    assert builtin_class(layers.Lambda(lambda x: x)) is layers.Lambda
    assert builtin_class(subclassed.ConvBN(4)) is None
    assert builtin_class(keras.Sequential()) is None


class _Calls(keras.Model):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x if x[0, 0, 0, 0] > 0 else -x, "it branches on the values of a tensor"),
        (lambda x: tf.while_loop(lambda y: True, lambda y: y, [x])[0], "tf.|branches|known"),
        (lambda x: tf.linalg.inv(x[..., :1]), r"tf\.linalg\.inv is not known here"),
        (lambda x: tf.nn.softplus(x) + np.zeros((3, 3, 7)), "line"),
        (lambda x: tf.zeros((1, 4)), "does not depend on the image"),
    ],
)
def test_what_cannot_be_recorded_is_named_with_its_line(function: Any, says: str) -> None:
    with pytest.raises(NoGraph, match=says) as raised:
        symbolic_run(_Calls(function), SHAPE)
    assert "test_symbolic.py, line" in str(raised.value) or "does not depend" in str(raised.value)
    assert "\n" not in str(raised.value)
