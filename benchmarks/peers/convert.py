"""One conversion by one tool, in a process of its own: peers.py starts it, and measures it.

    python benchmarks/peers/convert.py STEP SOURCE CALIBRATION.npz OUT

Written as each tool's own documentation tells its users, with two exceptions, which they can make
too: the input is called `image`, so that one program opens all files; a batch is one image. `STEP` is
the name of a function below. Tools are imported inside: NNCF lives in an environment of its own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

INPUT, OUTPUT = "image", "logits"
Images = np.ndarray[Any, Any]


def make_resnet50(source: Path, images: Images, out: Path) -> None:
    """keras.applications' ResNet50 with seeded random weights, as every tool will read it.

    Logits, because softmax of random weights is flat: in int8 all of it would be one number.
    """
    import keras

    keras.utils.set_random_seed(0)
    pixels = keras.Input((224, 224, 3), name=INPUT)
    keras.applications.ResNet50(
        weights=None, classes=1000, input_tensor=pixels, classifier_activation=None
    ).save(out)


def reference(source: Path, images: Images, out: Path) -> None:
    """What Keras itself answers."""
    np.save(out, _model(source).predict(images, batch_size=16 if images.shape[1] > 100 else 250, verbose=0))


def tflite_fp32(source: Path, images: Images, out: Path) -> None:
    """TFLiteConverter as it comes."""
    out.write_bytes(_tflite_converter(source, out).convert())


def tflite_int8(source: Path, images: Images, out: Path) -> None:
    """TFLiteConverter, full integer, with float ends as it makes them unasked."""
    import tensorflow as tf

    def representative() -> Iterator[dict[str, Images]]:
        for image in images:
            yield {INPUT: image[None]}

    converter = _tflite_converter(source, out)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    out.write_bytes(converter.convert())


def keras_litert(source: Path, images: Images, out: Path) -> None:
    """Keras' own export to LiteRT."""
    _model(source).export(str(out), format="litert", verbose=False, **_one_image(images))


def keras_onnx(source: Path, images: Images, out: Path) -> None:
    """Keras' own export to ONNX."""
    _model(source).export(str(out), format="onnx", verbose=False, **_one_image(images))


def tf2onnx_fp32(source: Path, images: Images, out: Path) -> None:
    """tf2onnx on the model's function."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    model = _model(source)
    signature = [tf.TensorSpec((1, *images.shape[1:]), tf.float32, name=INPUT)]
    function = tf.function(lambda image: {OUTPUT: model(image, training=False)}, input_signature=signature)
    converted, _ = tf2onnx.convert.from_function(function, signature, opset=17)
    onnx.save(converted, out)


def ort_defaults(source: Path, images: Images, out: Path) -> None:
    """ONNX Runtime's quantize_static with nothing but its required arguments: S8S8, per tensor."""
    from onnxruntime.quantization import quantize_static

    quantize_static(str(source), str(out), _feeds(images))


def _ort(weights: str, reduced: bool, source: Path, images: Images, out: Path) -> None:
    """ONNX Runtime with the settings that its documentation names for x86 processors."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        prepared = f"{folder}/prepared.onnx"
        quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            str(out),
            _feeds(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType[weights],
            per_channel=True,
            reduce_range=reduced,
        )


def nncf_onnx(source: Path, images: Images, out: Path) -> None:
    """NNCF on the ONNX file: an ONNX file again. It takes 300 images unless told: all of them, as the
    others do."""
    import nncf
    import onnx

    data = nncf.Dataset(images, lambda image: {INPUT: image[None]})
    onnx.save(nncf.quantize(onnx.load(str(source)), data, subset_size=len(images)), str(out))


def _nncf_openvino(best: bool, source: Path, images: Images, out: Path) -> None:
    """NNCF on OpenVINO's model, written as OpenVINO's own files. `best`: activations with zero points,
    and weights of 7 bits, which its documentation names for processors without VNNI."""
    import nncf
    import openvino as ov

    extra: dict[str, Any] = {}
    if best:
        overflow = nncf.quantization.advanced_parameters.OverflowFix.ENABLE
        extra["preset"] = nncf.QuantizationPreset.MIXED
        extra["advanced_parameters"] = nncf.AdvancedQuantizationParameters(overflow_fix=overflow)
    data = nncf.Dataset(images, lambda image: image[None])
    quantized = nncf.quantize(ov.Core().read_model(str(source)), data, subset_size=len(images), **extra)
    ov.save_model(quantized, str(out))


def litert_quantizer(source: Path, images: Images, out: Path) -> None:
    """litert-quantizer's static int8 recipe on the float TFLite file, with its own calibration."""
    from litert_quantizer import quantizer, recipe

    job = quantizer.Quantizer(str(source))
    job.load_quantization_recipe(recipe.static_wi8_ai8())
    calibration = job.calibrate({"serving_default": [{INPUT: image[None]} for image in images]})
    job.quantize(calibration).export_model(str(out), overwrite=True)


STEPS: dict[str, Callable[[Path, Images, Path], None]] = {
    "make_resnet50": make_resnet50,
    "reference": reference,
    "tflite_fp32": tflite_fp32,
    "tflite_int8": tflite_int8,
    "keras_litert": keras_litert,
    "keras_onnx": keras_onnx,
    "tf2onnx_fp32": tf2onnx_fp32,
    "ort_defaults": ort_defaults,
    "ort_u8s8": partial(_ort, "QInt8", False),
    "ort_u8s8_reduced": partial(_ort, "QInt8", True),
    "ort_u8u8": partial(_ort, "QUInt8", False),
    "nncf_onnx": nncf_onnx,
    "nncf_openvino": partial(_nncf_openvino, False),
    "nncf_openvino_best": partial(_nncf_openvino, True),
    "litert_quantizer": litert_quantizer,
}


def _model(source: Path) -> Any:
    import keras

    return keras.saving.load_model(source, compile=False)


def _tflite_converter(source: Path, out: Path) -> Any:
    """Through a SavedModel: `from_keras_model` hides what goes wrong behind an error of its own."""
    import keras
    import tensorflow as tf

    model, archive = _model(source), keras.export.ExportArchive()
    archive.track(model)
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name=INPUT)
    archive.add_endpoint(
        "serve", lambda image: {OUTPUT: model(image, training=False)}, input_signature=[signature]
    )
    folder = str(out.with_suffix(".saved"))
    archive.write_out(folder, verbose=False)
    return tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])


def _one_image(images: Images) -> dict[str, Any]:
    import keras

    return {"input_signature": [keras.InputSpec(shape=(1, *images.shape[1:]), dtype="float32", name=INPUT)]}


def _feeds(images: Images) -> Any:
    """ONNX Runtime's calibration reader over the images, one at a time."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.feeds = iter([{INPUT: image[None]} for image in images])

        def get_next(self) -> Any:
            return next(self.feeds, None)

    return Reader()


def main(step: str, source: str, calibration: str, out: str) -> None:
    """Run one step on float images; why it failed goes into a file next to `out`."""
    try:
        STEPS[step](Path(source), np.load(calibration)["images"].astype(np.float32), Path(out))
    except Exception as error:  # of any tool: told to peers.py, and raised again
        lines = str(error).strip().splitlines() or [""]
        Path(out).with_suffix(".error").write_text(f"{type(error).__name__}: {lines[0]}"[:200])
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
