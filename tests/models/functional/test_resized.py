from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge import zoo
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.models.functional.layer_runs import run_layers
from resnet_edge.models.functional.resized import resized
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
SHAPE = nets.SHAPE


def _run(model: Any, images: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))


def _sequential() -> keras.Model:
    adapted = layers.Normalization()
    adapted.adapt(nets.images())
    stack = [layers.Conv2D(5, 3, activation="relu"), layers.MaxPooling2D(), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input(SHAPE), adapted, *stack, layers.Dropout(0.5), layers.Dense(4)])
    return model  # the statistics of the adapted layer must come along


def _squeezed() -> keras.Model:
    """With squeeze and excitation, rows of pixels, and a sum over them by an operation."""
    image = keras.Input(SHAPE)
    x = layers.Conv2D(8, 3, strides=2, padding="same")(image / 255)
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Dense(8, "sigmoid")(gate)])
    rows = layers.Reshape((-1, 8))(x)
    return nets.randomized(keras.Model(image, layers.Dense(4)(keras.ops.mean(rows, axis=1))))


def _transformed() -> keras.Model:
    """Its pixels in rows by Permute and back."""
    image = keras.Input(SHAPE)
    x = layers.Permute((3, 1, 2))(layers.Conv2D(4, 3)(image))
    return nets.randomized(keras.Model(image, layers.Dense(4)(keras.ops.mean(x, axis=(2, 3)))))


WHOLE = {
    "nested": lambda: nets.classifier(layers.Rescaling(1 / 255)),
    "flat": nets.flat,
    "sequential": _sequential,
    "squeeze and excitation": _squeezed,
    "permute": _transformed,
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("size", [(24, 24), (9, 13)])
def test_the_same_layers_compute_at_another_size(name: str, size: tuple[int, int]) -> None:
    graph = flat_graph(WHOLE[name](), SHAPE)
    images = nets.images((*size, 3))
    np.testing.assert_array_equal(_run(resized(graph, *size), images), run_layers(graph, images))


@pytest.mark.parametrize("name", WHOLE)
def test_at_its_own_size_it_gives_the_same_bits(name: str) -> None:
    model = WHOLE[name]()
    ours = resized(flat_graph(model, SHAPE), *SHAPE[:2])
    np.testing.assert_array_equal(_run(ours, nets.images()), _run(model, nets.images()))
    assert ours.count_params() == model.count_params()


def test_one_of_keras_applications_is_rebuilt() -> None:
    mobile = keras.applications.MobileNetV2((64, 64, 3), 0.35, weights=None, classes=7)
    graph = flat_graph(mobile, (64, 64, 3))
    images = nets.images((96, 80, 3), 1)
    np.testing.assert_array_equal(_run(resized(graph, 96, 80), images), run_layers(graph, images))
    assert resized(graph, 96, 80).output_shape == (None, 7)


def test_one_of_the_zoo_is_what_the_zoo_builds_for_that_size() -> None:
    model = nets.randomized(zoo.build("resnet8", (28, 28, 1), 10))
    smaller = zoo.build("resnet8", (20, 24, 1), 10)
    smaller.set_weights(model.get_weights())
    images = nets.images((20, 24, 1))
    ours = resized(flat_graph(model, (28, 28, 1)), 20, 24)
    np.testing.assert_array_equal(_run(ours, images), _run(smaller, images))


def _ending(*stack: layers.Layer) -> keras.Model:
    front = layers.Conv2D(4, 3, strides=2, padding="same", name="front")
    return nets.randomized(keras.Sequential([keras.Input(SHAPE), front, *stack]))


def _positions() -> keras.Model:
    class _Positions(layers.Layer):
        def build(self, shape: Any) -> None:
            self.places = self.add_weight(shape=shape[1:], name="places")

        def call(self, x: Any) -> Any:
            return x + self.places

    rows = layers.Reshape((-1, 4))
    return _ending(rows, _Positions(name="positions"), layers.GlobalAveragePooling1D(), layers.Dense(4))


def _constant() -> keras.Model:
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same")(image) + np.ones((1, 16, 16, 4), np.float32)
    return nets.randomized(keras.Model(image, nets.head(x)))


def _numbers_in_the_batch() -> keras.Model:
    """With the number of pixels in a shape and the batch left open, as many write it."""
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, strides=2, padding="same")(image)
    return nets.randomized(keras.Model(image, layers.Dense(4)(keras.ops.reshape(x, (-1, 256)))))


def _corner() -> keras.Model:
    image = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same")(image)
    return nets.randomized(keras.Model(image, nets.head(x[:, :16, :16])))


POOLED = (layers.GlobalAveragePooling2D, lambda: layers.Dense(4))
REFUSED: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "flatten": (
        lambda: _ending(layers.Flatten(name="rows"), layers.Dense(4, name="scores")),
        r"layer scores \(Dense\), behind rows \(Flatten\), has weights of 256 x 4, and would need 576 x 4",
    ),
    "an output of pixels": (
        lambda: _ending(layers.Flatten(name="rows")),
        r"layer rows \(Flatten\) would give 576 numbers, and gives 256",
    ),
    "a constant shape": (
        lambda: _ending(layers.Reshape((8, 8, 4), name="again"), *(make() for make in POOLED)),
        r"layer again \(Reshape\) does not take what it gets",
    ),
    "a row of constant length": (
        lambda: _ending(layers.Reshape((-1, 8, 4)), layers.Reshape((64, -1), name="cut"),
                        layers.GlobalAveragePooling1D(), layers.Dense(4)),
        r"layer cut \(Reshape\) makes 64 x 4 of an image, and would make 64 x 9",
    ),
    "pixels in other rows": (
        lambda: _ending(layers.Conv2D(4, 1), layers.Reshape((-1, 4, 8), name="wider"),
                        layers.GlobalAveragePooling2D(), layers.Dense(4)),
        r"layer wider \(Reshape\)",
    ),
    "position embeddings": (_positions, r"layer positions \(_Positions\).* has weights of 64 x 4, .*144 x 4"),
    "a normalization over pixels": (
        lambda: _ending(layers.LayerNormalization(axis=(1, 2, 3), name="all"), *(make() for make in POOLED)),
        r"layer all \(LayerNormalization\) has weights of 8 x 8 x 4, and would need 12 x 12 x 4",
    ),
    "a constant picture": (_constant, r"layer \S+ \(Add\) does not take what it gets"),
    "a batch of pixels": (
        _numbers_in_the_batch,
        r"layer reshape\S* \(Reshape\) does not take what it gets \(.*\(\): Input to reshape is a tensor",
    ),
    "a pool over a constant part": (
        lambda: _ending(layers.AveragePooling2D(8, name="once"), layers.Flatten(), layers.Dense(4)),
        r"layer once \(AveragePooling2D\) takes all of 8 x 8 x 4 at its own size, and would leave out",
    ),
    "a kernel over a constant part": (
        lambda: _ending(layers.Conv2D(4, 8, strides=8, name="all"), layers.Flatten()),
        r"layer all \(Conv2D\) takes all of 8 x 8 x 4 at its own size, and would leave out",
    ),
    "a crop behind": (
        lambda: _ending(layers.CenterCrop(8, 8, name="middle"), *(make() for make in POOLED)),
        r"layer middle \(CenterCrop\) takes all of 8 x 8 x 4 at its own size, and would leave out",
    ),
    "a corner": (_corner, r"layer get_item\S* \(GetItem\) takes all of 16 x 16 x 4 at its own size"),
    "a resize in front": (
        lambda: nets.classifier(layers.Resizing(16, 16, name="always")),
        r"layer always \(Resizing\) gives 16 x 16 x 3 of an image of any size, and all that follows stays",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_in_the_way_is_named(name: str) -> None:
    make, words = REFUSED[name]
    graph = flat_graph(make(), SHAPE)
    with pytest.raises(ModelError, match=words) as refused:
        resized(graph, 24, 24)
    assert "cannot be rebuilt for images of 24 x 24" in str(refused.value)


def test_no_pixel_may_be_left() -> None:
    graph = flat_graph(_ending(layers.MaxPooling2D(4, name="few"), *(make() for make in POOLED)), SHAPE)
    with pytest.raises(ModelError, match=r"layer few \(MaxPooling2D\)"):
        resized(graph, 4, 4)
