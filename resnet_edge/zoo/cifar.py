"""ResNets for small images: He et al., "Deep Residual Learning for Image Recognition",
arXiv:1512.03385, section 4.2.

A 3x3 stem with 16 filters, then three stages of n basic blocks with 16, 32 and 64
filters: 6n + 2 layers. The paper uses parameter-free shortcuts (option A) for these
networks; here the two shortcuts that change shape are 1x1 projections (option B), as in
MLPerf Tiny and the Keras examples, because a strided slice plus channel padding is not one
quantized kernel in any mobile runtime. It adds 2,752 parameters to every depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnet_edge.zoo import Architecture

if TYPE_CHECKING:
    import keras

SOURCE = "arXiv:1512.03385, section 4.2 (option B shortcuts)"

FAMILY = {
    f"resnet{depth}": Architecture(
        builder="cifar:build", input_shape=(32, 32, 3), classes=10, options={"depth": depth}, source=SOURCE
    )
    for depth in (8, 20, 32, 44, 56, 110)
}


def build(name: str, input_shape: tuple[int, int, int], classes: int, depth: int) -> keras.Model:
    """The network with `depth` layers. Raises ValueError unless depth = 6n + 2."""
    import keras

    from resnet_edge.zoo import _blocks

    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, not {depth}")
    image, x = _blocks.pixels(input_shape)
    x = _blocks.conv_bn_relu(x, 16, 3, 1, "stem")
    for stage, filters in enumerate((16, 32, 64), start=1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _blocks.basic_block(x, filters, stride, f"stage{stage}_block{block}")
    return keras.Model(image, _blocks.classifier(x, classes), name=name)
