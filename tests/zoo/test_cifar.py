"""Networks for small images, against published figures."""

from __future__ import annotations

import pytest

from tests.models import nets
from tests.zoo.built import built, macs_of, trainable

pytestmark = nets.KERAS_WARNINGS


SHORTCUTS_B = 2_752
"""Weights of the two 1x1 projections (and their batch normalization) of a CIFAR ResNet, which
the paper's option A does without: 16 x 32 + 32 x 64 + 2 x (32 + 64)."""


@pytest.mark.parametrize(
    ("name", "millions"),
    [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66), ("resnet56", 0.85), ("resnet110", 1.7)],
)
def test_parameters_of_the_cifar_networks(name: str, millions: float) -> None:
    """Table 6 of the paper, whose shortcuts have no weights: half a unit of its last digit."""
    digits = 1 if name == "resnet110" else 2
    assert round((trainable(name) - SHORTCUTS_B) / 1e6, digits) == millions


def test_parameters_of_resnet8() -> None:
    """MLPerf Tiny gives 78,666 with conv biases (328 of them) and batch normalization statistics."""
    assert built("resnet8").count_params() + 328 == pytest.approx(78_666, rel=0.01)


@pytest.mark.parametrize(("name", "mega"), [("resnet20", 41), ("resnet56", 126)])
def test_macs_of_the_cifar_networks(name: str, mega: float) -> None:
    """As often measured (40.8 and 125.5 with option A); 1 %: the option B shortcuts are 0.26."""
    assert macs_of(name) / 1e6 == pytest.approx(mega, rel=0.01)
