"""The network of the article."""

from __future__ import annotations

import keras

from resnet_edge import zoo
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def test_the_article_is_what_the_article_says() -> None:
    model = zoo.build("article", (28, 28, 1), 10, num_layers=4)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(c.filters, c.kernel_size, c.strides) for c in convolutions] == [
        (64, (7, 7), (2, 2)),
        *[(64, (3, 3), (1, 1))] * 8,
    ]
    (pool,) = [layer for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert (pool.pool_size, pool.strides) == ((3, 3), (2, 2))
    assert model.get_layer("flatten").output.shape == (None, 7 * 7 * 64)
    assert [model.get_layer(name).units for name in ("dense", "logits")] == [512, 10]
