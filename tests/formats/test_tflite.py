from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.formats import tflite
from resnet_edge.graph.model import read_graph
from tests.graph.road import Road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_graph_that_stayed_in_float_is_not_written_as_integers(
    name: str, tmp_path: Path, roads: Callable[[str], Road]
) -> None:
    net = roads("residual_v1")
    out = tmp_path / "out.tflite"
    with pytest.raises(ArtifactError, match="CONV_2D at .* stayed in float: ask for"):
        tflite.write(net.float_graph, scheme(name), "net", out)
    assert not out.exists()
    assert "litert-quantizer" in tflite.write(net.portable(name), scheme(name), "net", out)
    assert read_graph(out).nodes == read_graph(net.portable(name)).nodes


def test_census_counts_every_operation(roads: Callable[[str], Road]) -> None:
    assert tflite.census(roads("residual_v1").float_graph) == {
        "ADD": 2,
        "CONV_2D": 6,
        "FULLY_CONNECTED": 1,
        "MEAN": 1,
    }
