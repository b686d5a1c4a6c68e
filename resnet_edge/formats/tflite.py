"""TensorFlow Lite, now LiteRT: the portable graph is this format already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.metadata import ModelMetadata
from resnet_edge.core.scheme import Scheme
from resnet_edge.formats._metadata import reader, writer
from resnet_edge.graph.model import load_model, read_graph, save_model
from resnet_edge.graph.quantization.integer import require_integer
from resnet_edge.graph.rewrites.dense_axes import flatten_dense_layers
from resnet_edge.graph.space_to_depth import space_to_depth
from resnet_edge.graph.versions.stamp import set_versions

SUFFIX = ".tflite"


def refusal(scheme: Scheme) -> str | None:
    """Every scheme is offered."""
    return None


def write(portable: Path, scheme: Scheme, name: str, out: Path, float_layers: Collection[str] = ()) -> str:
    """The portable graph, in int8 with a first convolution that fills its kernels (graph/space_to_depth.py),
    in int16 with dense layers that are right everywhere (graph/rewrites/dense_axes.py), and with the operator
    versions that it takes (graph/versions).

    Only operations that TFLite has built in get this far (graph/convert.py refuses others). Raises
    ArtifactError where integers were asked for and a heavy operation other than `float_layers` is
    in float, or one of these is not.
    """
    if scheme.activations.startswith("int"):
        require_integer(read_graph(portable), float_layers)
    model = load_model(portable)
    if scheme.activations == "int8":
        space_to_depth(model)
    if scheme.activations == "int16":
        flatten_dense_layers(model)
    set_versions(model)
    save_model(model, out)
    converter = f"tensorflow {version('tensorflow')} (TFLiteConverter)"
    return (
        converter
        if scheme.weights == "float32"
        else f"{converter}, litert-quantizer {version('litert-quantizer')}"
    )


def describe(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs. Raises ArtifactError."""
    graph = read_graph(path)
    return graph.specs(graph.inputs), graph.specs(graph.outputs)


def census(path: Path) -> dict[str, int]:
    """How often each operation occurs. Raises ArtifactError."""
    return dict(sorted(Counter(node.op for node in read_graph(path).nodes).items()))


def write_metadata(path: Path, metadata: ModelMetadata, out: Path) -> None:
    """A copy of a file with `metadata` in it, deterministic to the byte. Raises ArtifactError, DataError."""
    writer.write(path, metadata, out)


def read_metadata(path: Path) -> ModelMetadata | None:
    """What the file tells apps of itself; None where it tells nothing. Raises ArtifactError."""
    return reader.read(path)
