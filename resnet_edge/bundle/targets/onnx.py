"""ONNX Runtime: the very bytes that `convert` proved, and the same network in its own format."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.targets import Variant
from resnet_edge.core.head import Head
from resnet_edge.formats.onnx import write_ort
from resnet_edge.graph.io_adapter import Border

TITLE = "ONNX Runtime, on phones, servers, in Node.js and the browser"
FORMAT = "onnx"
SCHEMES = ("int8", "fp32")
ON_REQUEST = ("fp16",)
ON_GPU = ("fp32", "fp16")
METADATA = False
CHANNELS = None
PHONES = True
PINNED = ("onnxruntime", "opencv")


def runtimes(scheme: str) -> tuple[str, ...]:
    """ARM where it is quick enough to emulate: 288 ms for an image of the bundled ResNet-20 in float32, and a
    twelfth of that in int8."""
    everywhere = ("onnxruntime", "onnxruntime_node", "onnxruntime_web")
    return (*everywhere, "onnxruntime_arm64") if scheme == "int8" else everywhere


def border(scheme: str, head: Head) -> Border | None:
    """None: the bytes stay."""
    return None


def variants(model: Path) -> tuple[Variant, ...]:
    """The same as .ort, for apps that build ONNX Runtime with the operators of their models alone."""
    out = model.with_suffix(".ort")
    operators = write_ort(model, out)
    listed = f"{model.stem}.required_operators_and_types.config"
    changes = (
        "is in ONNX Runtime's own format, with its operators fused beforehand and int8 weights as uint8",
        f"needs of ONNX Runtime what `{listed}` lists",
    )
    return (Variant(out, changes, {listed: operators}),)


def companions(model: Path, name: str) -> dict[str, str]:
    """Nothing more."""
    return {}


def delegates(scheme: str) -> tuple[str, ...]:
    """All that ONNX Runtime has for phones."""
    return ("coreml_ep", "coreml_ep_neuralnetwork", "nnapi_ep")
