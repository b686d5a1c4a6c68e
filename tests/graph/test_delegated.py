"""What XNNPACK takes of files, which LiteRT says."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.delegated import taken_by_xnnpack
from resnet_edge.graph.model import read_graph
from tests.graph.lowered import lowered, operations
from tests.graph.road import Road


def test_all_of_a_float_network_in_one_piece(residual: Road) -> None:
    count = len(read_graph(residual.float_graph).nodes)
    assert taken_by_xnnpack(residual.float_graph, count) == ({*range(count)}, 1)


def test_what_it_has_no_kernel_for_parts_the_rest(tmp_path: Path) -> None:
    path = lowered(
        lambda x: tf.nn.relu(tf.cumsum(tf.nn.relu(x) * 2, axis=1) + x), tmp_path / "a.tflite", (1, 8)
    )
    names = operations(path)
    taken, pieces = taken_by_xnnpack(path, len(names))
    assert pieces == 2
    assert {names[row] for row in range(len(names)) if row not in taken} == {"CUMSUM"}


def test_a_file_that_is_none_and_one_of_other_operations(residual: Road, tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="cannot be opened as TFLite .*: copy or convert it again"):
        taken_by_xnnpack(tmp_path / "a.tflite", 1)
    with pytest.raises(ArtifactError, match="LiteRT runs [0-9]+ operations and the file has 1000"):
        taken_by_xnnpack(residual.float_graph, 1000)
