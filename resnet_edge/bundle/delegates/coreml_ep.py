"""The Core ML execution provider of ONNX Runtime on iPhones and Macs, with its model format `MLProgram`."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._coreml_ep import conditions
from resnet_edge.bundle.delegates._onnx import FORMATS as FORMATS
from resnet_edge.bundle.delegates._onnx import LARGEST_RANK, NodePlace, odd_dtype, provider_outlook, source_of
from resnet_edge.bundle.delegates._tflite import check_format
from resnet_edge.bundle.delegates._verdict import READ, ListOrigin
from resnet_edge.core.results.outlook import Outlook

TITLE = "ONNX Runtime's Core ML provider (MLProgram)"
LIST = "coreml_supported_mlprogram_ops.md"
SOURCE = (
    f"{source_of(LIST)}; dtypes: microsoft/onnxruntime, core/providers/coreml/builders/impl/"
    "base_op_builder.cc, IsInputDtypeSupport"
)
DTYPES = frozenset({"float32", "float16"})


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate."""
    check_format(path, format, FORMATS)
    origin = ListOrigin(delegate="coreml_ep", title=TITLE, kind="documented", source=SOURCE, date=READ)
    return provider_outlook(path, origin, LIST, _condition, LARGEST_RANK, "")


def _condition(place: NodePlace) -> str | None:
    return odd_dtype(place, DTYPES) or conditions(place)
