"""Small real model files for delegates: one for each operation that some of them leave to the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SHAPE = (8, 8, 4)
_random = np.random.default_rng(5)
KERNEL = _random.normal(0, 0.3, (1, 1, 4, 4)).astype(np.float32)
MATRIX = _random.normal(0, 1, (4, 5)).astype(np.float32)


def write_tflite(path: Path, body: Callable[[Any], Any], int8: bool = False, custom: bool = False) -> Path:
    """`body`, between a strided 1x1 convolution called `shortcut` and a mean and a matrix."""
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        x = tf.nn.conv2d(image, KERNEL, 2, "SAME", name="shortcut")
        return {"logits": tf.reduce_mean(body(x), [1, 2]) @ MATRIX}

    module = tf.Module()  # without an owner the converter calls the output `Identity`
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec([1, *SHAPE], tf.float32, name="image")])
    function = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if custom:
        converter.allow_custom_ops = True
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _images
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        # The converter warns of statistics that only its long gone TOCO mode took.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        path.write_bytes(converter.convert())
    return path


def _images() -> Iterator[list[NDArray[np.float32]]]:
    random = np.random.default_rng(1)
    return ([random.uniform(-1, 1, (1, *SHAPE)).astype(np.float32)] for _ in range(20))


def write_onnx(path: Path, operator: str, batch: int | str = 1, **attributes: Any) -> Path:
    """A convolution, `operator`, and the mean over the image, in NCHW."""
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["conv"]),
        helper.make_node(operator, ["conv"], ["middle"], **attributes),
        helper.make_node("GlobalAveragePool", ["middle"], ["logits"]),
    ]
    kernel = np.ascontiguousarray(KERNEL.transpose(3, 2, 0, 1))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 4, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 4, 1, 1])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
