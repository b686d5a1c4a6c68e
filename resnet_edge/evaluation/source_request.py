"""What the parent asks of evaluation.source, for the model as a float graph and for what it gives."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.models import ModelRequest


@dataclass(frozen=True)
class ExportRequest:
    """Write the float portable graph of a model to `out`; `bare`: without preprocessing, to
    take what the model takes."""

    model: ModelRequest
    out: str
    dynamic_batch: bool
    bare: bool = False


@dataclass(frozen=True)
class WitnessRequest:
    """evaluation.source: hold the reader of a model against another loader, on some of `images` (.npy)."""

    model: ModelRequest
    images: str


@dataclass(frozen=True)
class ReferenceRequest:
    """Run the Keras model on `images` (.npy), outputs to `out` (.npy). `known` are those of
    the first images (.npy), which are not run again."""

    model: ModelRequest
    images: str
    out: str
    known: str | None = None


@dataclass(frozen=True)
class LearnedRequest:
    """evaluation.source: what the layers with learned ranges give on some of `images` (.npy, as the
    user gave them), to `out` (.npz), for graph.learned."""

    model: ModelRequest
    images: str
    out: str
