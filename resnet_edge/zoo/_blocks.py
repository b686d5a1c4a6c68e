"""The pieces that residual networks are made of, as calls on Keras tensors.

Convolutions have no bias where a BatchNormalization follows, and are initialised as in
He et al., "Delving Deep into Rectifiers", arXiv:1502.01852 (fan-out, normal).
"""

from __future__ import annotations

import keras
from keras import layers

HE_FAN_OUT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
}


def pixels(input_shape: tuple[int, int, int]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input (raw pixels, 0 to 255) and the same tensor scaled to 0..1.

    The scale is inside the network so that a saved file says for itself what it takes.
    No mean is subtracted: the first BatchNormalization does it, and with a pure scale the
    zero padding of the stem means a black pixel, in float and in int8 alike.
    """
    image = keras.Input(input_shape, name="image")
    return image, layers.Rescaling(1 / 255, name="rescale")(image)


def conv(x: keras.KerasTensor, filters: int, size: int, stride: int, name: str) -> keras.KerasTensor:
    """A convolution with "same" padding and no bias."""
    return layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=HE_FAN_OUT,
        name=name,
    )(x)


def conv_bn(x: keras.KerasTensor, filters: int, size: int, stride: int, name: str) -> keras.KerasTensor:
    """Convolution, then batch normalization."""
    return layers.BatchNormalization(name=f"{name}_bn")(conv(x, filters, size, stride, name))


def conv_bn_relu(x: keras.KerasTensor, filters: int, size: int, stride: int, name: str) -> keras.KerasTensor:
    """Convolution, batch normalization, ReLU."""
    return layers.ReLU(name=f"{name}_relu")(conv_bn(x, filters, size, stride, name))


def basic_block(
    x: keras.KerasTensor, filters: int, stride: int, name: str, *, project: bool | None = None
) -> keras.KerasTensor:
    """Two 3x3 convolutions around a shortcut (He et al. 2015, figure 5 left).

    The shortcut is a 1x1 projection where the shape changes (option B of the paper) and
    the identity elsewhere; `project` overrides the choice.
    """
    if project is None:
        project = stride != 1 or x.shape[-1] != filters
    y = conv_bn_relu(x, filters, 3, stride, f"{name}_conv1")
    y = conv_bn(y, filters, 3, 1, f"{name}_conv2")
    shortcut = conv_bn(x, filters, 1, stride, f"{name}_shortcut") if project else x
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, y]))


def classifier(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Global average pooling and a dense layer that gives logits."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(classes, name="logits", dtype="float32")(x)


def bottleneck_block(
    x: keras.KerasTensor, filters: int, stride: int, name: str, *, stride_in_3x3: bool
) -> keras.KerasTensor:
    """1x1, 3x3 and 1x1 convolution around a shortcut (He et al. 2015, figure 5 right).

    The output has 4 x `filters` channels. The stride is in the first 1x1 as in the paper
    (v1), or in the 3x3 (v1.5, which sees every pixel).
    """
    first, second = (1, stride) if stride_in_3x3 else (stride, 1)
    y = conv_bn_relu(x, filters, 1, first, f"{name}_conv1")
    y = conv_bn_relu(y, filters, 3, second, f"{name}_conv2")
    y = conv_bn(y, 4 * filters, 1, 1, f"{name}_conv3")
    project = stride != 1 or x.shape[-1] != 4 * filters
    shortcut = conv_bn(x, 4 * filters, 1, stride, f"{name}_shortcut") if project else x
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, y]))


def bn_relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Batch normalization, then ReLU: the pre-activation of v2."""
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_bn")(x))


def preactivation_block(
    x: keras.KerasTensor, filters: int, stride: int, name: str, *, bottleneck: bool, activated: bool
) -> keras.KerasTensor:
    """A unit whose activations come before its convolutions (He et al. 2016, figure 1b).

    `activated`: x already is the output of a ReLU, as behind the stem (appendix of the
    paper). Where the shape changes, the 1x1 projection takes the activated input, as in the
    authors' code. The stride is in the (first) 3x3.
    """
    width = 4 * filters if bottleneck else filters
    project = stride != 1 or x.shape[-1] != width
    y = x if activated else bn_relu(x, f"{name}_preact")
    shortcut = conv(y, width, 1, stride, f"{name}_shortcut") if project else x
    if bottleneck:
        y = conv_bn_relu(y, filters, 1, 1, f"{name}_conv1")
        y = conv_bn_relu(y, filters, 3, stride, f"{name}_conv2")
        y = conv(y, width, 1, 1, f"{name}_conv3")
    else:
        y = conv_bn_relu(y, filters, 3, stride, f"{name}_conv1")
        y = conv(y, width, 3, 1, f"{name}_conv2")
    return layers.Add(name=f"{name}_add")([shortcut, y])
