"""Graphs in which some layers stay float: the road to them, and a network that needs it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import keras
import numpy as np

from resnet_edge.core import registry
from resnet_edge.core.scheme import Io
from resnet_edge.graph.interface import set_interface
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.calibrate import Ranges, measure_ranges
from resnet_edge.graph.quantization.grids import layer_of
from resnet_edge.graph.quantization.quantize import quantize
from tests.formats.nets import conv_bn, randomized
from tests.graph.road import Road, scheme

HOSTILE = "hostile"


def ranges_of(net: Road) -> Ranges:
    rows = (image[None] for image in net.images)
    return measure_ranges(net.float_graph, rows, takes_pixels=net.takes_pixels, threads=1)


def mixed_graph(net: Road, layers: Collection[str], folder: Path, io: Io = "float32") -> Path:
    """The int8 portable graph in which `layers` stay float."""
    out = folder / "mixed.tflite"
    quantize(net.float_graph, scheme("int8"), ranges_of(net), out, layers)
    set_interface(out, net.output, io)
    return out


def mixed_artifacts(net: Road, layers: Collection[str], folder: Path) -> dict[str, Path]:
    """What both formats write of it."""
    portable = mixed_graph(net, layers, folder)
    paths = {}
    for name in ("tflite", "onnx"):
        room = registry.load("formats", name)
        paths[name] = folder / f"written{room.SUFFIX}"
        room.write(portable, scheme("int8"), "net", paths[name], layers)
    return paths


def named(graph: Graph, *ops: str) -> list[str]:
    """The names of the operations of these kinds (of all: none given), in order."""
    return [layer_of(graph, node) for node in graph.nodes if not ops or node.op in ops]


def float_graph(net: Road) -> Graph:
    return read_graph(net.float_graph)


def hostile(spread: float = 300.0) -> keras.Model:
    """A residual net in which one activation (of the convolution called HOSTILE) has channels of
    very different size. Its reader takes that back: in float the net is the same for any `spread`.
    Both together have few of the multiply-accumulates."""
    image = keras.Input((9, 9, 3))
    x = conv_bn(image, 8)
    y = keras.layers.Conv2D(8, 1, activation="relu", name=HOSTILE)(x)
    y = keras.layers.Conv2D(8, 1, name="reader")(y)
    x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    x = conv_bn(x, 12, strides=2)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = randomized(keras.Model(image, keras.layers.Dense(5)(x)))
    by = np.ones(8, np.float32)
    by[0], by[1:4] = spread, 1 / spread
    kernel, bias = model.get_layer(HOSTILE).get_weights()
    model.get_layer(HOSTILE).set_weights([kernel * by, bias * by])
    kernel, bias = model.get_layer("reader").get_weights()
    model.get_layer("reader").set_weights([kernel / by[:, None], bias])
    return model
