"""Tests of the zoo against published figures.

Parameters without batch normalization statistics are exact: they are those that torchvision
(resnet*, whose bottlenecks are v1.5), timm (resnetv2_50) and MLPerf Tiny or the papers give.
Multiply-accumulates are what the papers print, in units of 10^9 with two digits.
"""

from __future__ import annotations

import functools

import keras
import pytest

from resnet_edge import zoo
from resnet_edge.core.errors import UnknownName
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

SHORTCUTS_B = 2_752
"""Weights of the two 1x1 projections (and their batch normalization) of a CIFAR ResNet, which
the paper's option A does without: 16 x 32 + 32 x 64 + 2 x (32 + 64)."""


@functools.cache
def _built(name: str) -> keras.Model:
    return zoo.build(name)


def _trainable(name: str) -> int:
    return sum(int(keras.ops.size(weight)) for weight in _built(name).trainable_weights)


def _macs(name: str) -> int:
    macs = open_model(ModelRequest(name), silent).facts.macs
    assert macs is not None
    return macs


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
    assert _trainable(name) == published


@pytest.mark.parametrize(
    ("name", "millions"),
    [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66), ("resnet56", 0.85), ("resnet110", 1.7)],
)
def test_parameters_of_the_cifar_networks(name: str, millions: float) -> None:
    """Table 6 of the paper, whose shortcuts have no weights: half a unit of its last digit."""
    digits = 1 if name == "resnet110" else 2
    assert round((_trainable(name) - SHORTCUTS_B) / 1e6, digits) == millions


def test_parameters_of_resnet8() -> None:
    """MLPerf Tiny gives 78,666 with conv biases (328 of them) and batch normalization statistics."""
    assert _built("resnet8").count_params() + 328 == pytest.approx(78_666, rel=0.01)


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
    assert _macs(name) / 1e9 == pytest.approx(giga, rel=0.02)


@pytest.mark.parametrize(("name", "mega"), [("resnet20", 41), ("resnet56", 126)])
def test_macs_of_the_cifar_networks(name: str, mega: float) -> None:
    """As often measured (40.8 and 125.5 with option A); 1 %: the option B shortcuts are 0.26."""
    assert _macs(name) / 1e6 == pytest.approx(mega, rel=0.01)


def test_resnet50_differs_from_that_of_keras_by_its_conv_biases() -> None:
    theirs = keras.applications.ResNet50(weights=None)
    biases = [layer.bias for layer in theirs.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(biases) == 53
    assert _built("resnet50").count_params() == theirs.count_params() - sum(int(b.shape[0]) for b in biases)


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


@pytest.mark.parametrize(
    ("name", "strided"), [("resnet50", (1, 1)), ("resnet50-v1.5", (3, 3)), ("resnet50-v2", (3, 3))]
)
def test_where_the_stride_of_a_bottleneck_is(name: str, strided: tuple[int, int]) -> None:
    on_the_path = [
        layer.kernel_size
        for layer in _built(name).layers
        if isinstance(layer, keras.layers.Conv2D) and layer.strides == (2, 2) and "_conv" in layer.name
    ]
    assert on_the_path == [strided] * 3


def test_v2_ends_in_an_activation_and_has_none_behind_an_addition() -> None:
    model = _built("resnet18-v2")
    assert isinstance(model.get_layer("pool").input._keras_history.operation, keras.layers.ReLU)
    sums = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    followers = [node.operation for layer in sums for node in layer._outbound_nodes]
    assert len(sums) == 8
    assert not any(isinstance(follower, keras.layers.ReLU) for follower in followers)


@pytest.mark.parametrize("name", sorted(zoo.architectures()))
def test_every_network_has_a_source(name: str) -> None:
    assert zoo.architecture(name).source


@pytest.mark.parametrize(
    "name", ["article", "resnet8", "resnet18", "resnet18-v2", "resnet50", "resnet50-v1.5"]
)
def test_a_network_takes_small_grey_images(name: str) -> None:
    assert zoo.build(name, (16, 16, 1), 3).output_shape == (None, 3)


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(UnknownName, match="choose from: article.*resnet20"):
        zoo.architecture("resnet21")
