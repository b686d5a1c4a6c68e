"""The NNAPI execution provider of ONNX Runtime on Android, which Android 15 deprecated."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._onnx import FORMATS as FORMATS
from resnet_edge.bundle.delegates._onnx import (
    NodePlace,
    flat_conditions,
    odd_dtype,
    provider_outlook,
    source_of,
)
from resnet_edge.bundle.delegates._tflite import check_format
from resnet_edge.bundle.delegates._verdict import READ, ListOrigin
from resnet_edge.core.results.outlook import Outlook

TITLE = "ONNX Runtime's NNAPI provider"
LIST = "nnapi_supported_ops.md"
DEPRECATION = "developer.android.com/ndk/guides/neuralnetworks/migration-guide, updated 2025-04-07"
SOURCE = (
    f"{source_of(LIST)}; dtypes: microsoft/onnxruntime, core/providers/nnapi/nnapi_builtin/builders/impl/"
    f"base_op_builder.cc at commit 194144d; {DEPRECATION}"
)
DTYPES = frozenset({"float32"})
"""Of all but quantizing operators, by default; whether one takes more stands in its own source, not read."""
REMARK = "Android 15 deprecated NNAPI: plan with the CPU."


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate."""
    check_format(path, format, FORMATS)
    origin = ListOrigin(delegate="nnapi_ep", title=TITLE, kind="documented", source=SOURCE, date=READ)
    return provider_outlook(path, origin, LIST, _condition, None, REMARK)


def _condition(place: NodePlace) -> str | None:
    op = place.node.op_type
    if op in ("QuantizeLinear", "DequantizeLinear"):
        fixed = place.constant(1) and place.constant(2)
        return None if fixed else "its scale or zero point is not a constant of the file"
    if op == "Conv" and not all(place.constant(index) or place.dequantized(index) for index in (1, 2)):
        return "its weights are not constants of the file"
    return odd_dtype(place, DTYPES) or flat_conditions(place)
