"""Errors of outputs on grids, with the softmax of a real int16x8 file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.evaluation.sums import measure
from resnet_edge.workers.progress import silent
from tests.backends import tiny

SURE = 12.0
"""Times the logits: most probabilities are below a step of 1/32768 then."""


def softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


@pytest.fixture(scope="module")
def int16x8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By TensorFlow's converter, with float ends."""
    import tensorflow as tf

    path = tmp_path_factory.mktemp("int16x8") / "net.tflite"

    def serve(image: Any) -> dict[str, Any]:
        features = tf.nn.relu(tf.nn.conv2d(image / 255.0, tiny.KERNEL, 1, "SAME"))
        return {"scores": tf.nn.softmax(tf.reduce_mean(features, [1, 2]) @ (SURE * tiny.MATRIX))}

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        return ([image[None]] for image in tiny.pixels(50).astype(np.float32))

    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec([1, *tiny.SHAPE], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.serve.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        path.write_bytes(converter.convert())
    return path


def test_a_good_int16x8_file_is_above_its_floor(int16x8: Path, tmp_path: Path) -> None:
    images = tiny.pixels(300, seed=5)
    np.save(tmp_path / "images.npy", images)
    out = str(tmp_path / "out.npy")
    predict(
        Predict(
            path=str(int16x8),
            format="tflite",
            backend="litert",
            device="cpu",
            threads=1,
            images=str(tmp_path / "images.npy"),
            out=out,
        ),
        silent,
    )
    outputs, exact = np.load(out), softmax(SURE * tiny.logits(images))
    assert (outputs <= 2 / 32768).mean() > 0.2  # the kernel gives no less
    assert np.array_equal(outputs * 32768, np.rint(outputs * 32768))
    good = measure(exact, outputs, Head.of_classes(exact.shape[1], "probabilities"))
    assert sqnr_db(good.signal, good.noise) > 25
    wrong = measure(exact, np.roll(outputs, 1, axis=1), Head.of_classes(exact.shape[1], "probabilities"))
    assert sqnr_db(wrong.signal, wrong.noise) < 15


def test_what_is_beyond_half_a_step_is_an_error() -> None:
    exact = softmax(np.random.default_rng(3).normal(0, 3, (500, 8)))
    grid = (np.rint(exact * 256) / 256).astype(np.float32)
    assert measure(exact, grid, Head.of_classes(exact.shape[1], "probabilities")).noise == 0
    moved = np.clip(grid + np.float32(1 / 256), 0, 1)
    assert measure(exact, moved, Head.of_classes(exact.shape[1], "probabilities")).noise > 0


def test_margins_tell_where_an_answer_can_change() -> None:
    reference = np.array([[0, 1, 2], [5, 0, 4.5], [3, 3.001, 0]], np.float32)
    candidate = reference.copy()
    candidate[:, 0] += np.float32(0.1)
    sums = measure(reference, candidate, Head.of_classes(3, "logits"))
    assert sums.close == 1
    assert sums.swapped == pytest.approx(0.001, rel=1e-3)
