"""Sizes of graphs of any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from resnet_edge.graph.model import read_graph
from resnet_edge.graph.sizes import with_known_sizes
from tests.graph.lowered import lowered


def test_only_the_batch_stays_open(tmp_path: Path) -> None:
    """The shape of the reshape is computed from the batch, and nothing of it is in the file."""

    def function(x: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(x)[:1], [2, -1]], 0)
        return tf.transpose(tf.reshape(x, shape), (0, 2, 1))

    path = lowered(function, tmp_path / "a.tflite", (None, 12))
    graph = read_graph(path)
    assert graph.tensors[graph.outputs[0]].shape.count(None) > 1
    known = with_known_sizes(path, graph)
    assert known.tensors[known.outputs[0]].shape == (None, 6, 2)
    assert known.tensors[known.inputs[0]].shape == (None, 12)
    assert known.nodes == graph.nodes
    constants = [(a.data, b.data) for a, b in zip(graph.tensors, known.tensors, strict=True)]
    assert all(b is not None and np.array_equal(a, b) for a, b in constants if a is not None)


def test_a_graph_whose_sizes_are_known_is_itself(tmp_path: Path) -> None:
    path = lowered(lambda x: tf.nn.relu(x), tmp_path / "a.tflite", (None, 12))
    graph = read_graph(path)
    assert with_known_sizes(path, graph) is graph
