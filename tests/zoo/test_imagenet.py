"""Networks for large images, against published figures."""

from __future__ import annotations

import keras
import pytest

from tests.models import nets
from tests.zoo.built import built, macs_of, trainable

pytestmark = nets.KERAS_WARNINGS


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet50-v1.5", 25_557_032),
        ("resnet50-v2", 25_549_352),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
    ],
)
@pytest.mark.slow
def test_parameters_of_the_imagenet_networks(name: str, published: int) -> None:
    assert trainable(name) == published


@pytest.mark.parametrize(
    ("name", "giga"),
    [
        ("resnet18", 1.8),
        ("resnet18-v2", 1.8),
        ("resnet34", 3.6),
        ("resnet50", 3.8),
        ("resnet50-v1.5", 4.1),
        ("resnet50-v2", 4.1),
        ("resnet101", 7.6),
        ("resnet152", 11.3),
    ],
)
@pytest.mark.slow
def test_macs_of_the_imagenet_networks(name: str, giga: float) -> None:
    """Table 1 of arXiv:1512.03385; 4.1 of v1.5 is NVIDIA's. 2 %: the paper leaves out some layers."""
    assert macs_of(name) / 1e9 == pytest.approx(giga, rel=0.02)


def test_resnet50_differs_from_that_of_keras_by_its_conv_biases() -> None:
    theirs = keras.applications.ResNet50(weights=None)
    biases = [layer.bias for layer in theirs.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(biases) == 53
    assert built("resnet50").count_params() == theirs.count_params() - sum(int(b.shape[0]) for b in biases)
