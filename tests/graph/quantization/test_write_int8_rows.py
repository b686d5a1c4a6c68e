"""Float graphs whose weights lie on their int8 grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.grids import layer_of
from resnet_edge.graph.quantization.weighted import layers
from resnet_edge.graph.quantization.write_int8_rows import write_int8_rows
from tests.graph.quantization.test_pair_bound import sums_beyond_16_bits
from tests.graph.road import Road


def kernels(graph: Graph) -> dict[str, np.ndarray]:
    return {layer_of(graph, graph.nodes[each.index]): each.rows for each in layers(graph, "per-tensor")}


def test_where_no_layer_needs_it_no_file_is_written(residual: Road, tmp_path: Path) -> None:
    """Weights with a scale for each channel: litert-quantizer chooses the same by itself."""
    assert write_int8_rows(residual.float_graph, tmp_path / "a.tflite", paired=False) == {}
    assert not (tmp_path / "a.tflite").exists()


@pytest.fixture
def written(residual: Road, tmp_path: Path) -> tuple[Graph, Graph, dict[str, dict[str, np.ndarray]]]:
    """The graph before and behind, and the ranges."""
    ranges = write_int8_rows(residual.float_graph, tmp_path / "a.tflite", paired=True)
    return read_graph(residual.float_graph), read_graph(tmp_path / "a.tflite"), ranges


def test_no_pair_of_neighbours_can_overflow(
    written: tuple[Graph, Graph, dict[str, dict[str, np.ndarray]]],
) -> None:
    before, behind, ranges = written
    assert ranges
    was, now = kernels(before), kernels(behind)
    assert now.keys() == was.keys()
    named = {each.kernel.shape: each for each in layers(behind, "per-tensor")}
    assert named
    for layer in layers(behind, "per-tensor"):
        name = behind.tensors[behind.nodes[layer.index].inputs[1]].name
        if name in ranges:
            steps = ranges[name]["max"].reshape(-1, 1) / 127
            integers = np.divide(layer.rows, steps, where=steps > 0, out=np.zeros_like(layer.rows))
            # rows that are plain are rounded by the quantizer itself
            whole = np.abs(integers - np.rint(integers)).max(axis=1) < 1e-3
            assert whole.any()
            assert not sums_beyond_16_bits(np.rint(integers[whole]).astype(int)).any()


def test_weights_move_by_half_of_the_largest_at_most_and_ranges_hold_them(
    written: tuple[Graph, Graph, dict[str, dict[str, np.ndarray]]],
) -> None:
    before, behind, ranges = written
    was, now = kernels(before), kernels(behind)
    for name in was:
        most = np.abs(was[name]).max(axis=1)
        assert (np.abs(now[name] - was[name]).max(axis=1) <= 0.501 * most).all()
    for ends in ranges.values():
        np.testing.assert_array_equal(ends["min"], -ends["max"])


def test_layers_that_stay_in_float_are_left_alone(residual: Road, tmp_path: Path) -> None:
    names = [*kernels(read_graph(residual.float_graph))]
    assert write_int8_rows(residual.float_graph, tmp_path / "a.tflite", paired=True, but=names) == {}
    write_int8_rows(residual.float_graph, tmp_path / "b.tflite", paired=True, but=names[:1])
    was, now = kernels(read_graph(residual.float_graph)), kernels(read_graph(tmp_path / "b.tflite"))
    np.testing.assert_array_equal(now[names[0]], was[names[0]])
    assert any((now[name] != was[name]).any() for name in names[1:])
