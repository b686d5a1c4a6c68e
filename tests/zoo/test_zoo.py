"""Tests of the zoo against published figures.

Parameters without batch normalization statistics are exact: they are those that torchvision
(resnet*, whose bottlenecks are v1.5), timm (resnetv2_50) and MLPerf Tiny or the papers give.
Multiply-accumulates are what the papers print, in units of 10^9 with two digits.
"""

from __future__ import annotations

import pytest

from resnet_edge import zoo
from resnet_edge.core.errors import UnknownName
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


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
