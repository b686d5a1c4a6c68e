"""Makes the files that `resnet-edge doctor` opens. README.md tells how."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = Path(__file__).resolve().parent


def network() -> keras.Model:
    """A convolution and a dense layer with weights that are exact in binary."""
    image = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Conv2D(2, 3, padding="valid", activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, keras.layers.Dense(2, name="logits")(x), name="probe")
    random = np.random.RandomState(0)  # frozen stream, NEP 19
    model.set_weights([random.randint(-4, 5, weight.shape) / 8 for weight in model.get_weights()])
    return model


def to_tflite(model: keras.Model) -> bytes:
    """The network as TFLite, batch 1, its weights frozen into it."""

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow has no types
        input_signature=[tf.TensorSpec((1, 8, 8, 1), tf.float32, name="image")]
    )
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": model(image)}

    # Unfrozen, the file holds READ_VARIABLE operations that nothing initialises.
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    written: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    return written


def to_rgb_tflite(model: keras.Model) -> bytes:
    """The network on the first channel of uint8 RGB images: what MediaPipe opens without metadata."""

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow has no types
        input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.uint8, name="image")]
    )
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": model(tf.cast(image, tf.float32)[..., :1])}

    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    written: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    return written


def to_onnx(model: keras.Model) -> bytes:
    """The same network as ONNX, NHWC input, batch 1."""
    kernel, conv_bias, matrix, bias = model.get_weights()
    weights = {
        "kernel": kernel.transpose(3, 2, 0, 1),
        "conv_bias": conv_bias,
        "matrix": matrix.T,
        "bias": bias,
    }
    # OpenCV 4.6 opens no other: it wants the kernel's shape beside the kernel, and (out, in) before a bias.
    nodes = [
        helper.make_node("Transpose", ["image"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "kernel", "conv_bias"], ["conv"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "probe",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 8, 8, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in weights.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    written: bytes = proto.SerializeToString()
    return written


def main() -> None:
    model = network()
    model.save(HERE / "probe.keras")
    (HERE / "probe.tflite").write_bytes(to_tflite(model))
    (HERE / "probe_rgb.tflite").write_bytes(to_rgb_tflite(model))
    (HERE / "probe.onnx").write_bytes(to_onnx(model))
    (HERE / "probe.txt").write_text(" ".join(str(v) for v in model(np.ones((1, 8, 8, 1))).numpy()[0]) + "\n")


if __name__ == "__main__":
    main()
