from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle.delegates import files


@pytest.fixture(scope="session")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small files, named like what stands in their middle: .tflite in float32, with `_int8` in
    integers, and .onnx."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("delegates")
    files.write_tflite(folder / "relu.tflite", tf.nn.relu)
    files.write_tflite(folder / "relu_int8.tflite", tf.nn.relu, int8=True)
    files.write_tflite(folder / "softmax_int8.tflite", tf.nn.softmax, int8=True)
    files.write_tflite(folder / "pooled_int8.tflite", lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME"), int8=True)
    files.write_tflite(folder / "cumsum.tflite", lambda x: tf.cumsum(x, axis=1))
    files.write_tflite(folder / "reverse.tflite", lambda x: tf.reverse_sequence(x, [2], 1, 0))
    files.write_tflite(folder / "custom.tflite", tf.math.erf, custom=True)
    files.write_onnx(folder / "relu.onnx", "Relu")
    files.write_onnx(folder / "dynamic.onnx", "Relu", batch="N")
    files.write_onnx(folder / "selu.onnx", "Selu")
    return folder
