"""Graphs whose kernels quantize their images anew, as graphs of rounded weights, beside LiteRT."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.diagnosis.layers.compare import compared
from resnet_edge.diagnosis.layers.tflite_dynamic import hybrid_layers, without_dynamic_scales
from resnet_edge.graph.model import graph_of, load_model, packed, save_model
from resnet_edge.graph.quantization.calibrate import keeping_all_tensors

RANDOM = np.random.default_rng(11)
IMAGES = RANDOM.normal(size=(4, 8, 8, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A float and a dynamic file of TensorFlow's converter, which leaves small kernels in float: a plain, a
    depthwise and a transposed convolution, the first of which is called twice, and a dense layer."""
    kernels = [RANDOM.normal(size=size).astype(np.float32) for size in ((3, 3, 4, 32), (3, 3, 32, 64))]
    each = RANDOM.normal(size=(3, 3, 128, 1)).astype(np.float32)
    back = RANDOM.normal(size=(2, 2, 32, 128)).astype(np.float32)
    scores = RANDOM.normal(size=(8 * 8 * 32, 5)).astype(np.float32)

    def body(image: Any) -> Any:
        x = tf.nn.relu(tf.nn.conv2d(image, kernels[0], 1, "SAME") + tf.range(32, dtype=tf.float32))
        x = tf.nn.relu(tf.nn.conv2d(x, kernels[1], 2, "SAME"))
        x = tf.nn.depthwise_conv2d(tf.concat([x, x], -1), each, (1, 1, 1, 1), "SAME")
        x = tf.nn.conv2d_transpose(x, back, (1, 8, 8, 32), 2)
        return tf.reshape(x, (1, -1)) @ scores

    network = tf.function(body, input_signature=[tf.TensorSpec((1, 8, 8, 4), tf.float32)])
    folder = tmp_path_factory.mktemp("dynamic")
    for name, optimizations in (("float", []), ("dynamic", [tf.lite.Optimize.DEFAULT])):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()])
            converter.optimizations = optimizations
            (folder / f"{name}.tflite").write_bytes(converter.convert())
    return folder / "float.tflite", folder / "dynamic.tflite"


def outputs(content: bytes, images: Any) -> Any:
    interpreter = keeping_all_tensors(content, 1)
    rows = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(rows)


def test_what_is_left_out_is_what_the_image_itself_rounds(converted: tuple[Path, Path]) -> None:
    model = load_model(converted[1])
    layers = hybrid_layers(graph_of(model))
    assert {graph_of(model).nodes[number].op for number in layers} >= {"CONV_2D", "DEPTHWISE_CONV_2D"}
    rewritten = without_dynamic_scales(model)
    assert hybrid_layers(graph_of(rewritten)) == {}
    assert len(hybrid_layers(graph_of(model))) == len(layers), "the file itself stays as it is"
    before, after = (outputs(bytes(packed(one)), IMAGES) for one in (model, rewritten))
    off = np.linalg.norm(before - after) / np.linalg.norm(after)
    assert 1e-4 < off < 0.1  # 8 bits, four times
    exact = outputs(converted[0].read_bytes(), IMAGES)
    assert np.linalg.norm(after - exact) / np.linalg.norm(exact) < 0.1  # weights of 8 bits


def test_a_file_without_hybrid_kernels_stays_as_it_is(converted: tuple[Path, Path]) -> None:
    model = load_model(converted[0])
    assert without_dynamic_scales(model) is model


def test_a_good_file_is_good(converted: tuple[Path, Path]) -> None:
    explanation = compared("dynamic.tflite", converted[1], "tflite", converted[0], IMAGES)
    assert explanation.findings == ()
    assert explanation.compared == explanation.layers == 5


@pytest.mark.parametrize(
    ("op", "factor"),
    [("CONV_2D", 0.98), ("CONV_2D", 1.02), ("FULLY_CONNECTED", 0.98), ("DEPTHWISE_CONV_2D", 1.05)],
)
def test_a_layer_that_is_a_little_off_is_found(
    converted: tuple[Path, Path], tmp_path: Path, op: str, factor: float
) -> None:
    """A depthwise kernel has so few weights for a channel that rounding them may make up two hundredths."""
    model = load_model(converted[1])
    graph = graph_of(model)
    number, kernel = next((n, k) for n, k in hybrid_layers(graph).items() if graph.nodes[n].op == op)
    stored = model.subgraphs[0].tensors[kernel].quantization
    stored.scale = np.asarray(stored.scale) * np.float32(factor)
    save_model(model, tmp_path / "broken.tflite")
    explanation = compared("broken.tflite", tmp_path / "broken.tflite", "tflite", converted[0], IMAGES)
    broken = graph.tensors[graph.nodes[number].outputs[0]].name
    assert [finding.layer for finding in explanation.findings] == [broken]


def test_a_layer_that_nothing_reads_is_not_asked_for_its_values(
    converted: tuple[Path, Path], tmp_path: Path
) -> None:
    """LiteRT leaves it out, and has no values of it: a graph rewrite that lost a branch left it behind."""
    model = load_model(converted[0])
    subgraph = model.subgraphs[0]
    layer = next(n for n, node in enumerate(graph_of(model).nodes) if node.op == "CONV_2D")
    unused, twin = (
        copy.copy(subgraph.tensors[subgraph.operators[layer].outputs[0]]),
        copy.copy(subgraph.operators[layer]),
    )
    unused.name, twin.outputs = b"unused", [len(subgraph.tensors)]
    subgraph.tensors.append(unused)
    subgraph.operators.insert(layer, twin)
    save_model(model, tmp_path / "unused.tflite")
    explanation = compared("unused.tflite", tmp_path / "unused.tflite", "tflite", converted[0], IMAGES)
    assert explanation.findings == ()
    assert explanation.compared == explanation.layers == 5
