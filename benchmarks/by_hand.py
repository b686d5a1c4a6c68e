"""What an engineer writes by hand today: ResNet-50 to TFLite fp32, fp16, int8 and ONNX fp32, int8.

Three calls of TFLiteConverter, tf2onnx, and ONNX Runtime's quantize_static, in one process;
nothing is checked. Called by convert_cost.py: `python by_hand.py CALIBRATION.npz OUT`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


def main(calibration: Path, out: Path) -> None:
    """Convert, five times over."""
    images = np.load(calibration)["images"].astype(np.float32)
    images = keras.applications.resnet.preprocess_input(images)
    model = keras.applications.ResNet50(weights=None, classifier_activation=None)
    tflite(model, images, out)
    to_onnx(model, images, out)


def tflite(model: Any, images: np.ndarray[Any, Any], out: Path) -> None:
    """fp32, fp16 and int8, each from the Keras model."""

    def representative() -> Iterator[list[np.ndarray[Any, Any]]]:
        for image in images:
            yield [image[None]]

    for scheme in ("fp32", "fp16", "int8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if scheme != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if scheme == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        if scheme == "int8":
            converter.representative_dataset = representative
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        (out / f"{scheme}.tflite").write_bytes(converter.convert())


def to_onnx(model: Any, images: np.ndarray[Any, Any], out: Path) -> None:
    """fp32 by tf2onnx, int8 by ONNX Runtime with its fastest settings for x86."""
    signature = [tf.TensorSpec((1, 224, 224, 3), tf.float32, name="image")]
    function = tf.function(lambda image: {"logits": model(image, training=False)}, input_signature=signature)
    converted, _ = tf2onnx.convert.from_function(function, signature, opset=17)
    onnx.save(converted, out / "fp32.onnx")

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.feeds = iter([{"image": image[None]} for image in images])

        def get_next(self) -> Any:
            return next(self.feeds, None)

    quant_pre_process(str(out / "fp32.onnx"), str(out / "prepared.onnx"), skip_symbolic_shape=True)
    quantize_static(
        str(out / "prepared.onnx"),
        str(out / "int8.onnx"),
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
