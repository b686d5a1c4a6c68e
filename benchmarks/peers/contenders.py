"""Who converts what in peers.py: one Conversion is one file, made by one tool."""

from __future__ import annotations

from dataclasses import dataclass

LITERT, ORT, PLAIN, OPENVINO = "LiteRT", "ONNX Runtime, exact", "ONNX Runtime", "OpenVINO"
"""Runtimes. PLAIN is a session as it comes; ORT, resnet-edge's backend, sets session.x64quantprecision on
processors without VNNI, where sums of U8S8 products overflow without it."""

CALLER, TOOLS = "caller", "tools"
"""Environments: that of this script, and that of requirements.txt."""


@dataclass(frozen=True)
class Conversion:
    """`step` of convert.py on the file of the conversion `after` (none: the .keras file), or,
    without a step, `resnet-edge convert` with these arguments. It runs on `runtimes` (none: what it
    costs is all that is asked)."""

    name: str
    title: str
    scheme: str
    suffix: str
    runtimes: tuple[str, ...]
    step: str = ""
    after: str = ""
    environment: str = CALLER

    @property
    def ours(self) -> bool:
        """Made by resnet-edge."""
        return not self.step


def _ours(format: str, scheme: str, *runtimes: str) -> Conversion:
    return Conversion(
        name=f"ours_{format}_{scheme}",
        title="resnet-edge",
        scheme=scheme,
        suffix=f".{format}",
        runtimes=runtimes,
    )


def _peer(
    step: str, title: str, suffix: str, *runtimes: str, after: str = "", scheme: str = "int8"
) -> Conversion:
    environment = TOOLS if step.startswith("nncf") else CALLER
    return Conversion(
        name=step,
        title=title,
        scheme=scheme,
        suffix=suffix,
        runtimes=runtimes,
        step=step,
        after=after,
        environment=environment,
    )


TFLITE, ONNX = "tflite_fp32", "tf2onnx_fp32"

CONVERSIONS = (
    Conversion(
        name="ours_all",
        title="resnet-edge, all four at once",
        scheme="fp32,int8",
        suffix=".tflite,onnx",
        runtimes=(),
    ),
    _ours("tflite", "fp32", LITERT),
    _ours("onnx", "fp32", ORT, OPENVINO),
    _ours("tflite", "int8", LITERT, OPENVINO),
    _ours("onnx", "int8", ORT, PLAIN, OPENVINO),
    _peer(TFLITE, "TFLiteConverter", ".tflite", LITERT, scheme="fp32"),
    _peer("keras_litert", "Keras export, litert", ".tflite", LITERT, scheme="fp32"),
    _peer("tflite_int8", "TFLiteConverter", ".tflite", LITERT),
    _peer("litert_quantizer", "litert-quantizer", ".tflite", LITERT, after=TFLITE),
    _peer(ONNX, "tf2onnx", ".onnx", ORT, OPENVINO, scheme="fp32"),
    _peer("keras_onnx", "Keras export, onnx", ".onnx", ORT, scheme="fp32"),
    _peer("ort_defaults", "quantize_static, defaults (S8S8)", ".onnx", PLAIN, ORT, after=ONNX),
    _peer("ort_u8s8", "quantize_static, U8S8 per channel", ".onnx", PLAIN, ORT, after=ONNX),
    _peer("ort_u8s8_reduced", "quantize_static, U8S8, reduce_range", ".onnx", PLAIN, ORT, after=ONNX),
    _peer("ort_u8u8", "quantize_static, U8U8 per channel", ".onnx", PLAIN, after=ONNX),
    _peer("nncf_onnx", "NNCF on ONNX", ".onnx", OPENVINO, PLAIN, ORT, after=ONNX),
    _peer("nncf_openvino", "NNCF on OpenVINO", ".xml", OPENVINO, after=ONNX),
    _peer("nncf_openvino_best", "NNCF on OpenVINO, mixed, overflow_fix", ".xml", OPENVINO, after=ONNX),
)
