from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.mixture import write_mixture
from resnet_edge.graph.quantization.weighted import layers, write_constants
from tests.graph.mixed import float_graph, named
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_float_layers_have_their_own_constants_and_others_the_repaired_ones(
    residual: Road, tmp_path: Path
) -> None:
    graph = float_graph(residual)
    repaired = {(layer.index, 1): 2 * layer.kernel for layer in layers(graph)}
    repaired |= {(layer.index, 2): layer.bias + 1 for layer in layers(graph) if layer.bias is not None}
    write_constants(residual.float_graph, repaired, tmp_path / "repaired.tflite")
    kept = named(graph, "CONV_2D")[1:3]
    write_mixture(tmp_path / "repaired.tflite", residual.float_graph, kept, tmp_path / "mixed.tflite")
    mixed = layers(read_graph(tmp_path / "mixed.tflite"))
    assert [layer.output for layer in mixed] == [layer.output for layer in layers(graph)]
    for before, after in zip(layers(graph), mixed, strict=True):
        assert before.bias is not None
        exact = after.output in kept
        np.testing.assert_array_equal(after.kernel, before.kernel if exact else 2 * before.kernel)
        np.testing.assert_array_equal(after.bias, before.bias if exact else before.bias + 1)


def test_constants_that_were_replaced_are_not_carried_along(residual: Road, tmp_path: Path) -> None:
    """Else every int8 file made of a repaired graph would hold its float kernels too."""
    graph = float_graph(residual)
    write_mixture(residual.float_graph, residual.float_graph, named(graph), tmp_path / "same.tflite")
    sizes = (tmp_path / "same.tflite").stat().st_size, residual.float_graph.stat().st_size
    assert abs(sizes[0] - sizes[1]) < 4096
    assert sum(t.data.nbytes for t in graph.tensors if t.data is not None) > 2 * 4096
