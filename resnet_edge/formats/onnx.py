"""ONNX, written for ONNX Runtime: NCHW inside, QuantizeLinear/DequantizeLinear pairs where quantized.

The portable graph is lowered operation by operation (`_onnx/`), which takes a second where
tf2onnx takes half a minute and several gigabytes for a ResNet-50, and keeps the quantization
of the TFLite artifact to the last bit. A graph with an operation that has no lowering is refused:
tf2onnx reads it from TFLite too, and loses the bias of a dense layer behind a Flatten (1.17).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import onnx

from resnet_edge import __version__
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Scheme
from resnet_edge.formats._onnx.builder import NotLowered
from resnet_edge.formats._onnx.lowering import lower, missing
from resnet_edge.formats._onnx.ort_format import write_ort
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.onnx_io import ends_of
from resnet_edge.graph.onnx_pairs import LayerPairs, layer_pairs
from resnet_edge.graph.sizes import with_known_sizes

__all__ = [
    "CHANNELS_FIRST",
    "SUFFIX",
    "census",
    "describe",
    "optimized",
    "pairs",
    "refusal",
    "write",
    "write_ort",
]

SUFFIX = ".onnx"
CHANNELS_FIRST = True
"""`write` takes `channels_first`."""


def refusal(scheme: Scheme) -> str | None:
    """Schemes that ONNX Runtime has no fast kernel for are not offered."""
    if scheme.activations == "int16":
        return "ONNX Runtime has no convolution with 16-bit activations and 8-bit weights"
    if scheme.weights == "int8" and scheme.activations == "float32":
        return "dynamic quantization of a convolution (ConvInteger) is slower than float in ONNX Runtime"
    return None


def write(
    portable: Path,
    scheme: Scheme,
    name: str,
    out: Path,
    float_layers: Collection[str] = (),
    channels_first: bool = False,
) -> str:
    """Lower the portable graph; with `channels_first` the file takes images as (N, C, H, W).

    Raises ArtifactError that names an operation which has no lowering, and where ONNX Runtime, if it is
    installed, would run an int8 file in float elsewhere than in `float_layers`, or these not.
    """
    graph = with_known_sizes(portable, read_graph(portable))
    real = "float16" if scheme.activations == "float16" else "float32"
    try:
        if unknown := missing(graph):
            raise NotLowered(f"no lowering of {', '.join(unknown)}")
        model = lower(graph, real, name, channels_first=channels_first)
    except NotLowered as reason:
        raise ArtifactError(
            f"no {scheme.title} ONNX of this model ({reason}): ask for --formats tflite"
        ) from reason
    onnx.save(model, out)
    if scheme.activations == "int8" and find_spec("onnxruntime") is not None:
        from resnet_edge.formats._onnx.fusion import require_fused

        require_fused(out, float_layers)
    return f"resnet-edge {__version__} (lowering of the TFLite graph)"


def describe(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs. Raises ArtifactError."""
    with _readable(path) as model:
        return ends_of(model.graph)


def census(path: Path) -> dict[str, int]:
    """How often each operation occurs in the file (before a runtime fuses any). Raises ArtifactError."""
    with _readable(path) as model:
        return dict(sorted(Counter(node.op_type for node in model.graph.node).items()))


def pairs(path: Path) -> tuple[LayerPairs, ...] | None:
    """The layers whose products may be added in 16 bits, two at a time; None where the file alone does not
    tell. Raises ArtifactError."""
    with _readable(path, constants=True) as model:
        return layer_pairs(model)


def optimized(path: Path) -> onnx.ModelProto:
    """The graph that ONNX Runtime runs on a CPU. Raises ArtifactError."""
    from resnet_edge.formats._onnx import fusion

    return fusion.optimized(path)


@contextmanager
def _readable(path: Path, *, constants: bool = False) -> Iterator[onnx.ModelProto]:
    """The model in the file, with `constants` that lie beside it, and whatever goes wrong while it is read as
    one ArtifactError."""
    try:
        model = onnx.load(path, load_external_data=constants)
        if not model.graph.node:  # protobuf takes an empty file for an empty model
            raise ValueError("there is no graph in it")
        yield model
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): name an ONNX file") from error
    except Exception as error:  # protobuf's DecodeError; KeyError of a type that is no tensor; damage
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"{path} is not an ONNX file that resnet-edge can read ({type(error).__name__}: {reason}): "
            "copy or convert it again"
        ) from error
