"""What is known of the numbers of a graph without running it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from resnet_edge.graph.model import read_graph
from resnet_edge.graph.rewrites.readers import Readers
from tests.graph.lowered import Function, lowered

SIGNS: dict[str, tuple[Function, int]] = {
    "absolute": (tf.abs, 1),
    "opposite": (lambda x: -tf.abs(x), -1),
    "product": (lambda x: tf.abs(x) * -2, -1),
    "product_of_opposite": (lambda x: -tf.abs(x) * -2, 1),
    "minimum": (lambda x: tf.minimum(x, -1), -1),
    "minimum_of_more": (lambda x: tf.minimum(x, 1), 0),
    "rectified": (lambda x: tf.nn.relu(x - 3), 1),
    "sum": (lambda x: tf.abs(x) + 1, 0),
    "any": (lambda x: x * 2, 0),
}


@pytest.mark.parametrize("name", SIGNS)
def test_sign_is_told_only_where_it_is_sure(name: str, tmp_path: Path) -> None:
    function, sign = SIGNS[name]
    graph = read_graph(lowered(function, tmp_path / "a.tflite", (1, 4)))
    assert Readers(graph).sign(graph.outputs[0]) == sign
