"""A first convolution that is spread over four times as many channels gives the same integers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import litert
from resnet_edge.core.results.profile import Profile
from resnet_edge.graph.model import load_model, read_graph, save_model
from resnet_edge.graph.space_to_depth import space_to_depth


def images(n: int, size: int, channels: int) -> NDArray[np.float32]:
    random = np.random.default_rng(1)
    return random.integers(0, 256, (n, size, size, channels)).astype(np.float32)


def int8_file(
    path: Path, size: int, channels: int, taps: int, padding: str, stride: int = 2, zeros: int = 0
) -> Path:
    """A convolution and a matrix, in int8, by TensorFlow's own converter."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    kernel = random.normal(size=(taps, taps, channels, 16)).astype(np.float32)
    matrix = random.normal(size=(16, 5)).astype(np.float32)

    def serve(image: Any) -> dict[str, Any]:
        x = (
            tf.pad(image / 255.0, [[0, 0], [zeros, zeros], [zeros, zeros], [0, 0]])
            if zeros
            else image / 255.0
        )
        features = tf.nn.relu(tf.nn.conv2d(x, kernel, stride, padding) + 0.5)
        return {"logits": tf.reduce_mean(features[:, ::3, ::2], [1, 2]) @ matrix}

    module = tf.Module()
    module.serve = tf.function(
        serve, input_signature=[tf.TensorSpec([1, size, size, channels], tf.float32, name="image")]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.serve.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        return ([image[None]] for image in images(20, size, channels))

    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        path.write_bytes(converter.convert())
    return path


def outputs(path: Path, size: int, channels: int) -> NDArray[np.float32]:
    with litert.open_session(path, "cpu", 1) as session:
        return np.concatenate([session.run(image[None]) for image in images(12, size, channels)])


SPREAD = {
    "as in ResNet-50": (32, 3, 7, "VALID", 2, 3),
    "padded like the input": (32, 3, 7, "SAME", 2, 0),
    "three taps": (16, 3, 3, "SAME", 2, 0),
    "five taps, no padding": (18, 1, 5, "VALID", 2, 0),
    "four taps": (16, 2, 4, "SAME", 2, 0),
    "an even padding": (16, 3, 5, "VALID", 2, 2),
    "a padding beyond the kernel": (16, 3, 3, "VALID", 2, 3),
}


@pytest.mark.parametrize("case", SPREAD.values(), ids=SPREAD)
def test_the_same_integers_come_out(tmp_path: Path, case: tuple[int, int, int, str, int, int]) -> None:
    size, channels, *_ = case
    before, after = int8_file(tmp_path / "before.tflite", *case), tmp_path / "after.tflite"
    model = load_model(before)
    assert space_to_depth(model) == 1
    save_model(model, after)
    truth = outputs(before, size, channels)
    assert len(np.unique(truth)) > 20
    np.testing.assert_array_equal(outputs(after, size, channels), truth)
    ops = [node.op for node in read_graph(after).nodes]
    assert ops.count("SPACE_TO_DEPTH") == 1
    (convolution,) = [node for node in read_graph(after).nodes if node.op == "CONV_2D"]
    assert read_graph(after).tensors[convolution.inputs[0]].shape[3] == 4 * channels
    assert space_to_depth(load_model(after)) == 0, "once is enough"


KEPT = {
    "many channels": (16, 16, 3, "SAME", 2, 0),
    "steps of one": (16, 3, 3, "SAME", 1, 0),
    "one tap": (16, 3, 1, "SAME", 2, 0),
    "an odd side": (17, 3, 3, "SAME", 2, 0),
}


@pytest.mark.parametrize("case", KEPT.values(), ids=KEPT)
def test_what_gains_nothing_stays(tmp_path: Path, case: tuple[int, int, int, str, int, int]) -> None:
    file = int8_file(tmp_path / "kept.tflite", *case)
    model = load_model(file)
    before = [node.op for node in read_graph(file).nodes]
    assert space_to_depth(model) == 0
    save_model(model, file)
    assert [node.op for node in read_graph(file).nodes] == before


def test_xnnpack_runs_all_of_it(tmp_path: Path) -> None:
    """Nothing falls out of the delegate, and the padding is a part of the convolution."""
    file = int8_file(tmp_path / "stem.tflite", *SPREAD["as in ResNet-50"])
    model = load_model(file)
    space_to_depth(model)
    save_model(model, file)
    timed: Profile = litert.profile(file, "cpu", 1, images(1, 32, 3), 5)
    kinds = [operator.kind for operator in timed.operators]
    assert any(kind.startswith("Space To Depth") for kind in kinds)
    assert not any(kind.startswith("Constant Pad") for kind in kinds)
