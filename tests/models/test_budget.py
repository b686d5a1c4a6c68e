"""What a model may ask for while Keras builds it."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models._budget import check_activations, within_budget
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def test_weights_are_counted_as_layers_make_them() -> None:
    with within_budget("net.keras", 4 * 8) as budget:
        keras.Sequential([keras.Input((3,)), layers.Dense(2, name="two")])
    assert budget.weight_bytes == 4 * (3 * 2 + 2)


def test_weights_that_a_file_does_not_hold_are_refused_before_they_are_made() -> None:
    with (
        pytest.raises(ModelError, match=r"^net.keras has layers with [\d,]+ bytes of weights and more, and"),
        within_budget("net.keras", 100),
    ):
        keras.Sequential([keras.Input((10**5,)), layers.Dense(10**6)])


def test_a_tensor_that_fits_no_memory_is_refused_though_keras_puts_words_around_it() -> None:
    image = keras.Input((1, 1, 1))
    with (
        pytest.raises(ModelError, match="^net.keras has a layer that gives") as raised,
        within_budget("net.keras", None),
    ):
        layers.UpSampling2D(10**6)(layers.UpSampling2D(10)(image))
    assert "\n" not in str(raised.value)


def test_other_errors_are_keras_own_and_what_was_replaced_is_back() -> None:
    own = keras.Variable._initialize_with_initializer, keras.KerasTensor.__init__
    with pytest.raises(ValueError, match="units"), within_budget("net.keras", None):
        layers.Dense(-1)
    assert (keras.Variable._initialize_with_initializer, keras.KerasTensor.__init__) == own


def test_a_model_of_any_size_is_held_against_the_size_that_it_gets() -> None:
    image = keras.Input((None, None, 1))
    model = keras.Model(image, layers.UpSampling2D(10**4)(image))
    check_activations(model, model, (1, 1, 1), "net.keras")
    with pytest.raises(ModelError, match="net.keras has a layer that gives"):
        check_activations(model, model, (1000, 1000, 1), "net.keras")
    fixed = keras.Model(image := keras.Input((1, 1, 1)), layers.UpSampling2D(2)(image))
    check_activations(fixed, fixed, (1000, 1000, 1), "net.keras")  # it was looked at when it was built
