"""The Core ML execution provider of ONNX Runtime with its model format `NeuralNetwork`, for iOS 13 and 14."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._coreml_ep import conditions
from resnet_edge.bundle.delegates._onnx import FORMATS as FORMATS
from resnet_edge.bundle.delegates._onnx import LARGEST_RANK, NodePlace, odd_dtype, provider_outlook, source_of
from resnet_edge.bundle.delegates._tflite import check_format
from resnet_edge.bundle.delegates._verdict import READ, ListOrigin
from resnet_edge.core.results.outlook import Outlook

TITLE = "ONNX Runtime's Core ML provider (NeuralNetwork)"
LIST = "coreml_supported_neuralnetwork_ops.md"
SOURCE = (
    f"{source_of(LIST)}; dtypes: microsoft/onnxruntime, core/providers/coreml/builders/impl/"
    "base_op_builder.cc, IsInputDtypeSupport"
)
DTYPES = frozenset({"float32"})


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate."""
    check_format(path, format, FORMATS)
    origin = ListOrigin(
        delegate="coreml_ep_neuralnetwork", title=TITLE, kind="documented", source=SOURCE, date=READ
    )
    return provider_outlook(path, origin, LIST, _condition, LARGEST_RANK, "")


def _condition(place: NodePlace) -> str | None:
    if place.node.op_type in ("Conv", "MatMul") and not place.constant(1):
        return "its weights are not constants of the file"
    return odd_dtype(place, DTYPES) or conditions(place)
