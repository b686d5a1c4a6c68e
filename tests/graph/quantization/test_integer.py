from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.integer import require_integer
from tests.graph.mixed import float_graph, mixed_graph, named
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_plain_int8_passes_and_float_does_not(residual: Road) -> None:
    require_integer(read_graph(residual.portable("int8")))
    with pytest.raises(ArtifactError, match="CONV_2D at '.*' stayed in float"):
        require_integer(float_graph(residual))


def test_exactly_the_declared_layers_may_be_float(residual: Road, tmp_path: Path) -> None:
    conv, addition = named(float_graph(residual), "CONV_2D")[2], named(float_graph(residual), "ADD")[0]
    graph = read_graph(mixed_graph(residual, [conv, addition], tmp_path))
    require_integer(graph, [conv, addition])
    with pytest.raises(ArtifactError, match="ADD at '.*' stayed in float"):
        require_integer(graph, [conv])
    other = named(float_graph(residual), "CONV_2D")[0]
    with pytest.raises(ArtifactError, match="was to stay in float and did not"):
        require_integer(graph, [conv, addition, other])
