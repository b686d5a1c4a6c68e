"""ResNets for large images, in three versions of their blocks.

- v1 (`resnet50`): He et al., "Deep Residual Learning for Image Recognition",
  arXiv:1512.03385, table 1. Bottlenecks have their stride in the first 1x1.
- v1.5 (`resnet50-v1.5`): the same with the stride in the 3x3, as in torchvision and MLPerf
  (Goyal et al., arXiv:1706.02677, section 5.1). Basic blocks have no 1x1, so there is no
  v1.5 of ResNet-18 and 34.
- v2 (`resnet50-v2`): He et al., "Identity Mappings in Deep Residual Networks",
  arXiv:1603.05027: batch normalization and ReLU come before each convolution.

Padding is "same" everywhere, so that it is part of the convolution in every runtime; the
paper's code pads a stride-2 stem by 3 on each side instead. Sizes, parameters and
multiply-accumulates are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from resnet_edge.zoo import Architecture

if TYPE_CHECKING:
    import keras

Version = Literal["v1", "v1.5", "v2"]

_SOURCES = {
    "v1": "arXiv:1512.03385, table 1",
    "v1.5": "arXiv:1706.02677, section 5.1",
    "v2": "arXiv:1603.05027",
}

_UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Units per stage by depth; from 50 layers on they are bottlenecks."""


def _entry(depth: int, version: Version) -> Architecture:
    return Architecture(
        builder="imagenet:build",
        input_shape=(224, 224, 3),
        classes=1000,
        options={"depth": depth, "version": version},
        source=_SOURCES[version],
    )


FAMILY = {
    **{f"resnet{depth}": _entry(depth, "v1") for depth in _UNITS},
    **{f"resnet{depth}-v1.5": _entry(depth, "v1.5") for depth in _UNITS if depth >= 50},
    **{f"resnet{depth}-v2": _entry(depth, "v2") for depth in _UNITS},
}


def build(
    name: str, input_shape: tuple[int, int, int], classes: int, depth: int, version: Version
) -> keras.Model:
    """The network with `depth` layers: 18, 34, 50, 101 or 152."""
    import keras
    from keras import layers

    from resnet_edge.zoo import _blocks

    image, x = _blocks.pixels(input_shape)
    x = _blocks.conv_bn_relu(x, 64, 7, 2, "stem")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, units in enumerate(_UNITS[depth], start=1):
        for unit in range(1, units + 1):
            stride = 2 if stage > 1 and unit == 1 else 1
            x = _unit(x, 64 * 2 ** (stage - 1), stride, stage, unit, depth, version)
    if version == "v2":
        x = _blocks.bn_relu(x, "final")
    return keras.Model(image, _blocks.classifier(x, classes), name=name)


def _unit(
    x: keras.KerasTensor, filters: int, stride: int, stage: int, unit: int, depth: int, version: Version
) -> keras.KerasTensor:
    from resnet_edge.zoo import _blocks

    name = f"stage{stage}_block{unit}"
    if version == "v2":
        behind_stem = stage == 1 and unit == 1
        return _blocks.preactivation_block(
            x, filters, stride, name, bottleneck=depth >= 50, activated=behind_stem
        )
    if depth < 50:
        return _blocks.basic_block(x, filters, stride, name)
    return _blocks.bottleneck_block(x, filters, stride, name, stride_in_3x3=version == "v1.5")
