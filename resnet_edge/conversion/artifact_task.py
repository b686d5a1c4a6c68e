"""What the parent asks of conversion.artifacts, and the files it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.runtime_floor import RuntimeFloor
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class QuantizeGraph(
    Task[WrittenFile],
    runs="resnet_edge.conversion.artifacts:portable",
    reads=(
        "float_portable",
        "ranges",
        "exact",
    ),
    writes=("out",),
):
    """conversion.artifacts: the portable graph under a scheme. `float_layers`, by their outputs, stay
    float in an integer graph, with their constants in the float graph `exact`. `integer_scores`: a softmax or
    sigmoid that ends the graph is computed in int8, with `io` int8. `dense_scales`: of int8 weights."""

    float_portable: str
    scheme: str
    ranges: str | None
    output: str
    io: Io
    out: str
    float_layers: tuple[str, ...] = ()
    exact: str | None = None
    integer_scores: bool = False
    dense_scales: DenseScales = "per-tensor"


@dataclass(frozen=True, kw_only=True)
class WriteArtifact(
    Task[Artifact], runs="resnet_edge.conversion.artifacts:artifact", reads=("portable",), writes=("out",)
):
    """conversion.artifacts: one artifact from the portable graph of its scheme, in which `float_layers`
    (by their outputs) are in float, that runs on `runtimes`. `channels_first`: of a format that can, it takes
    images as (N, C, H, W)."""

    portable: str
    format: str
    scheme: str
    name: str
    out: str
    float_layers: tuple[str, ...] = ()
    runtimes: tuple[RuntimeFloor, ...] = ()
    channels_first: bool = False
