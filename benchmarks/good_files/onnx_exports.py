"""ONNX files by tf2onnx, Keras, ONNX Runtime's quantizers and its float16 converter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .store import Step, Store
from .tensorflow_exports import calibration, one_image

BASE = "tf2onnx-17"
EXPORTS: tuple[tuple[str, dict[str, Any]], ...] = (
    (BASE, {"opset": 17}),
    ("tf2onnx-13", {"opset": 13}),
    ("tf2onnx-plain", {"opset": 17, "optimize": False}),
    ("tf2onnx-nchw", {"opset": 17, "nchw": True}),
    ("tf2onnx-any-batch", {"opset": 15, "open": True}),
)
STATIC: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("ort-u8s8-channel", "QUInt8", "QInt8", {"per_channel": True, "first": True}),
    ("ort-u8s8-reduced", "QUInt8", "QInt8", {"per_channel": True, "reduce_range": True}),
    ("ort-u8s8-one-scale", "QUInt8", "QInt8", {"reduce_range": True, "first": True}),
    ("ort-s8s8-channel", "QInt8", "QInt8", {"per_channel": True, "first": True}),
    ("ort-s8s8", "QInt8", "QInt8", {}),
    ("ort-u8u8", "QUInt8", "QUInt8", {"first": True}),
    ("ort-u8u8-channel", "QUInt8", "QUInt8", {"per_channel": True}),
    ("ort-percentile", "QUInt8", "QUInt8", {"calibrate": "Percentile", "first": True}),
    ("ort-operators-u8u8", "QUInt8", "QUInt8", {"format": "QOperator", "first": True}),
    (
        "ort-operators-reduced",
        "QUInt8",
        "QInt8",
        {"format": "QOperator", "per_channel": True, "reduce_range": True},
    ),
    ("ort-operators-s8s8", "QInt8", "QInt8", {"format": "QOperator", "per_channel": True, "first": True}),
)
"""`first`: quant_pre_process, which folds batch normalizations, runs before."""
SHARE = 127


def export(store: Store, model: Any) -> None:
    """Every file that is not there yet; those that are made of the base need it."""
    step = Step(store, "others")
    for how, settings in EXPORTS:
        _attempt(step, how, "fp32", "pixels", partial(_by_tf2onnx, store, model, settings))
    raw = "pixels" if store.facts()["prepare"] in ("model", "none") else "preprocessed"
    _attempt(
        step, "keras-onnx", "fp32", raw, lambda out: model.export(str(out), format="onnx", verbose=False)
    )
    base = _file(step, BASE, "fp32")
    if not base.exists():
        return
    for how, ends in (("onnx-float16", True), ("onnx-float16-ends", False)):
        _attempt(step, how, "fp16", "pixels", partial(_float16, base, keep=ends))
    _attempt(step, "onnx-external", "fp32", "pixels", lambda out: _outside(base, out))
    _attempt(step, "onnx-weights", "weight8", "pixels", lambda out: _weights_only(base, out))
    for how, kind in (("ort-dynamic-u8", "QUInt8"), ("ort-dynamic-s8", "QInt8")):
        _attempt(step, how, "dynamic", "pixels", partial(_dynamic, base, kind=kind))
    for how, activations, weights, settings in STATIC:
        _attempt(
            step, how, "int8", "pixels",
            partial(_static, store, base, activations=activations, weights=weights, settings=settings),
        )  # fmt: skip


def _file(step: Step, how: str, scheme: str) -> Path:
    return step.folder / f"{step.store.network}.{how}.{scheme}.onnx"


def _attempt(step: Step, how: str, scheme: str, takes: str, make: Callable[[Path], Any]) -> None:
    out = _file(step, how, scheme)
    if not step.wants(out.name):
        return
    try:
        make(out)
        step.record(out.name, how, scheme, takes)
    except Exception as error:  # whatever an exporter raises: it makes no good file
        out.unlink(missing_ok=True)
        step.failed(out.name, f"{type(error).__name__}: {str(error)[:300]}")


def _by_tf2onnx(store: Store, model: Any, settings: dict[str, Any], out: Path) -> None:
    import tensorflow as tf
    import tf2onnx

    from .images import prepare_in_graph

    way = store.facts()["prepare"]
    function = one_image(model, way)
    if settings.get("open"):
        function = tf.function(lambda pixels: model(prepare_in_graph(pixels, way), training=False))
    batch = None if settings.get("open") else 1
    signature = [tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32, name="pixels")]
    first = ["pixels"] if settings.get("nchw") else None
    with _optimizer(settings.get("optimize", True)):
        tf2onnx.convert.from_function(
            function, signature, opset=settings["opset"], output_path=str(out), inputs_as_nchw=first
        )


@contextmanager
def _optimizer(wanted: bool) -> Iterator[None]:
    """tf2onnx with or without its optimizer, for which it has no option."""
    import tf2onnx

    held = tf2onnx.convert.optimizer.optimize_graph
    if not wanted:
        tf2onnx.convert.optimizer.optimize_graph = lambda graph, *_, **__: graph
    try:
        yield
    finally:
        tf2onnx.convert.optimizer.optimize_graph = held


def _float16(base: Path, out: Path, keep: bool) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(str(base)), keep_io_types=keep), str(out))


def _outside(base: Path, out: Path) -> None:
    """The same with its weights in a file beside it."""
    import onnx

    data = out.with_name(f"{out.name}.data")
    data.unlink(missing_ok=True)  # onnx would append to it
    onnx.save(
        onnx.load(str(base)), str(out), save_as_external_data=True, location=data.name, size_threshold=256
    )


def _weights_only(base: Path, out: Path) -> None:
    """Kernels as int8 with a scale for each channel, behind DequantizeLinear; all else stays float."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(base))
    graph = model.graph
    held = {one.name: one for one in graph.initializer}
    axes = {"Conv": 0, "ConvTranspose": 1, "MatMul": 1}
    for node in [node for node in graph.node if node.op_type in axes and node.input[1] in held]:
        name, axis = node.input[1], axes[node.op_type]
        kernel = numpy_helper.to_array(held[name])
        others = tuple(a for a in range(kernel.ndim) if a != axis)
        scale = np.maximum(np.abs(kernel).max(axis=others), 1e-12) / SHARE
        shape = [-1 if a == axis else 1 for a in range(kernel.ndim)]
        steps = np.rint(kernel / scale.reshape(shape)).astype(np.int8)
        parameters = (steps, scale.astype(np.float32), np.zeros(len(scale), np.int8))
        inputs = [f"{node.name}_{part}" for part in ("weights", "scale", "zero")]
        graph.initializer.extend(
            numpy_helper.from_array(v, n) for v, n in zip(parameters, inputs, strict=True)
        )
        node.input[1] = f"{node.name}_real"
        graph.node.insert(0, helper.make_node("DequantizeLinear", inputs, [node.input[1]], axis=axis))
    onnx.save(model, str(out))


def _dynamic(base: Path, out: Path, kind: str) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(base, out, weight_type=getattr(QuantType, kind))


def _static(
    store: Store, base: Path, out: Path, activations: str, weights: str, settings: dict[str, Any]
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source = base
    if settings.get("first"):
        source = out.with_suffix(".first")
        quant_pre_process(str(base), str(source), skip_symbolic_shape=True)
    quantize_static(
        source,
        out,
        _reader(store, base),
        quant_format=getattr(QuantFormat, settings.get("format", "QDQ")),
        activation_type=getattr(QuantType, activations),
        weight_type=getattr(QuantType, weights),
        per_channel=settings.get("per_channel", False),
        reduce_range=settings.get("reduce_range", False),
        calibrate_method=getattr(CalibrationMethod, settings.get("calibrate", "MinMax")),
    )
    out.with_suffix(".first").unlink(missing_ok=True)


def _reader(store: Store, base: Path) -> Any:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader

    name = onnx.load(str(base)).graph.input[0].name
    images = iter([{name: image[None]} for image in calibration(store, "pixels")])

    class Images(CalibrationDataReader):
        def get_next(self) -> dict[str, Any] | None:
            return next(images, None)

    return Images()
