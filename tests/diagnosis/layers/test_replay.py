"""The reference's graph, computed from what is fed at a tensor."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from resnet_edge.diagnosis.layers.replay import Replay
from resnet_edge.graph.model import graph_of, load_model
from tests.formats import nets
from tests.graph.road import road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_who_reads_the_values_before_their_shape_reads_what_is_fed(tmp_path: Path) -> None:
    """A mean that is brought into another shape, and read in both."""
    image = keras.Input((6, 6, 3), name="image")
    mean = keras.layers.GlobalAveragePooling2D()(image)
    each = keras.layers.GlobalAveragePooling1D()(
        keras.layers.Conv1D(4, 2, activation="relu")(keras.layers.Reshape((3, 1))(mean))
    )
    dense = keras.layers.Dense(4, use_bias=False, name="direct")
    net = keras.Model(image, keras.layers.Dense(4)(keras.layers.Concatenate()([each, dense(mean)])))
    path = road(net, nets.images(net), tmp_path).float_graph
    model = load_model(path)
    nodes = graph_of(model).nodes
    product = next(node for node in nodes if node.op == "FULLY_CONNECTED")
    shaped = next(node for node in nodes if node.op == "RESHAPE" and node.inputs[0] == product.inputs[0])
    pixels = nets.images(net)[:1]
    fed = np.array([[1.0, -2.0, 3.0]], np.float32)
    outputs = Replay(model, [shaped.outputs[0]], [product.outputs[0]])(pixels, {shaped.outputs[0]: fed})
    np.testing.assert_allclose(
        outputs[product.outputs[0]], fed @ dense.get_weights()[0], rtol=1e-4, atol=1e-5
    )
