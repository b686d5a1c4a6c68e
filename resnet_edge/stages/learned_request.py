"""What the parent asks about the activation ranges that quantization-aware training has learned."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.models import ModelRequest


@dataclass(frozen=True)
class LearnedRequest:
    """stages.source: what the layers with learned ranges give on some of `images` (.npy, as the
    user gave them), to `out` (.npz), for graph.learned."""

    model: ModelRequest
    images: str
    out: str
