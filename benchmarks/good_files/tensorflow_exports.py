"""TFLite files by TensorFlow's converter and litert-quantizer, at the settings that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .images import prepare_in_graph, prepared
from .store import Step, Store

Settings = dict[str, Any]
WAYS: tuple[tuple[str, str, Settings], ...] = (
    ("tf", "fp32", {}),
    ("tf", "fp16", {"types": ["float16"]}),
    ("tf", "dynamic", {"optimize": True}),
    ("tf", "int8", {"ops": "int8"}),
    ("tf-old", "int8", {"ops": "int8", "experimental_new_quantizer": False}),
    ("tf-one-scale", "int8", {"ops": "int8", "_experimental_disable_per_channel": True}),
    ("tf-one-scale", "dynamic", {"optimize": True, "_experimental_disable_per_channel": True}),
    ("tf-uint8-ends", "int8", {"ops": "int8", "ends": "uint8"}),
    ("tf-int8-ends", "int8", {"ops": "int8", "ends": "int8"}),
    ("tf-float-left", "int8", {"ops": "mixed"}),
    ("tf-one-image", "fp32", {"one": True}),
    ("tf-one-image", "int8", {"one": True, "ops": "int8"}),
    ("tf-one-image", "fp16", {"one": True, "types": ["float16"]}),
    ("tf", "int16x8", {"ops": "int16"}),
)
"""Name, scheme and settings. `one`: a function of one image, into which the preprocessing is written."""
RECIPES = (
    ("quantizer-weights", "weight8", "weight_only_wi8_afp32"),
    ("quantizer", "dynamic", "dynamic_wi8_afp32"),
    ("quantizer", "int8", "static_wi8_ai8"),
)
OPERATIONS = {
    "int8": ["TFLITE_BUILTINS_INT8"],
    "mixed": ["TFLITE_BUILTINS_INT8", "TFLITE_BUILTINS"],
    "int16": ["EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"],
}


def export(store: Store, model: Any) -> None:
    """Every setting that is not there yet."""
    step, way = Step(store, "others"), store.facts()["prepare"]
    for how, scheme, settings in WAYS:
        name = f"{store.network}.{how}.{scheme}.tflite"
        takes = "pixels" if settings.get("one") or way in ("model", "none") else "preprocessed"
        _attempt(step, name, how, scheme, takes, partial(_converted, store, model, settings, takes))
    floats = step.folder / f"{store.network}.tf.fp32.tflite"
    if floats.exists():
        takes = "pixels" if way in ("model", "none") else "preprocessed"
        for how, scheme, recipe in RECIPES:
            name = f"{store.network}.{how}.{scheme}.tflite"
            _attempt(step, name, how, scheme, takes, partial(_by_recipe, store, floats, recipe))


def _attempt(step: Step, name: str, how: str, scheme: str, takes: str, make: Callable[[], bytes]) -> None:
    """An exporter that cannot do a network makes no good file; what it said is kept."""
    if not step.wants(name):
        return
    try:
        (step.folder / name).write_bytes(make())
        step.record(name, how, scheme, takes)
    except Exception as error:  # whatever a converter raises
        step.failed(name, f"{type(error).__name__}: {str(error)[:300]}")


def calibration(store: Store, takes: str) -> Any:
    """The images that set ranges, (N,H,W,C) float32, as a file takes them."""
    images, _ = store.arrays("calibration")
    return prepared(images, store.facts()["prepare"] if takes == "preprocessed" else "model")


def _converted(store: Store, model: Any, settings: Settings, takes: str) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if settings.get("one"):
        function = one_image(model, store.facts()["prepare"]).get_concrete_function()
        frozen = convert_variables_to_constants_v2(function)  # variables would be read anew at calibration
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    else:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if set(settings) & {"types", "optimize", "ops"}:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [getattr(tf, t) for t in settings.get("types", [])]
    if "ops" in settings:
        converter.target_spec.supported_ops = [
            getattr(tf.lite.OpsSet, o) for o in OPERATIONS[settings["ops"]]
        ]
        images = calibration(store, takes)
        converter.representative_dataset = lambda: ([image[None]] for image in images)
    if "ends" in settings:
        converter.inference_input_type = converter.inference_output_type = getattr(tf, settings["ends"])
    for name in ("experimental_new_quantizer", "_experimental_disable_per_channel"):
        if name in settings:
            setattr(converter, name, settings[name])
    return bytes(converter.convert())


def one_image(model: Any, way: str) -> Any:
    """The model as a function of one image of raw pixels."""
    import tensorflow as tf

    signature = [tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="pixels")]
    return tf.function(
        lambda pixels: model(prepare_in_graph(pixels, way), training=False), input_signature=signature
    )


def _by_recipe(store: Store, floats: Path, name: str) -> bytes:
    from litert_quantizer import quantizer, recipe

    one = quantizer.Quantizer(str(floats), getattr(recipe, name)())
    statistics = None
    if one.need_calibration:
        statistics = one.calibrate({signature(floats): list(_samples(store, floats))})
    return bytes(one.quantize(statistics).quantized_model)


def signature(file: Path) -> str:
    from ai_edge_litert.interpreter import Interpreter

    return str(next(iter(Interpreter(model_path=str(file)).get_signature_list())))


def _samples(store: Store, file: Path) -> Iterator[dict[str, Any]]:
    from ai_edge_litert.interpreter import Interpreter

    names = Interpreter(model_path=str(file)).get_signature_list()[signature(file)]["inputs"]
    way = store.facts()["prepare"]
    for image in calibration(store, "pixels" if way in ("model", "none") else "preprocessed"):
        yield {names[0]: np.asarray(image[None], np.float32)}
