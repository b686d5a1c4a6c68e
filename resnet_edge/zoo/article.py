"""The network that this project started from: a ResNet with a constant width of 64.

A 7x7/2 stem with 64 filters and a 3x3/2 max-pool, as in He et al., arXiv:1512.03385, then
`num_layers` residual blocks of two 3x3 convolutions with 64 filters and an identity
shortcut; flatten, a dense layer of 512 and one of `num_classes`. Nothing downsamples after
the stem and nothing pools before the dense layer, so that most of its weights are there:
512 x 64 x (H/4) x (W/4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnet_edge.zoo import Architecture

if TYPE_CHECKING:
    import keras

FAMILY = {
    "article": Architecture(
        builder="article:build",
        input_shape=(32, 32, 3),
        classes=10,
        options={"num_layers": 3},
        source="the article that this project started from",
    )
}


def build(name: str, input_shape: tuple[int, int, int], classes: int, num_layers: int) -> keras.Model:
    """The network with `num_layers` residual blocks."""
    import keras
    from keras import layers

    from resnet_edge.zoo import _blocks

    image, x = _blocks.pixels(input_shape)
    x = _blocks.conv_bn_relu(x, 64, 7, 2, "stem")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for block in range(1, num_layers + 1):
        x = _blocks.basic_block(x, 64, 1, f"block{block}")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(512, activation="relu", kernel_initializer="he_normal", name="dense")(x)
    return keras.Model(image, layers.Dense(classes, name="logits", dtype="float32")(x), name=name)
