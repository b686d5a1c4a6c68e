"""What is inside a model file."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.metadata import ModelMetadata


@dataclass(frozen=True)
class Inspection:
    """`census`: how often each operation occurs; `float_macs`, `int8_macs`: multiply-accumulates of one
    image by what multiplies them; `weight_bytes` are of all constants. `metadata`: what a TFLite file tells
    apps of itself. `warnings` are sentences about what apps may stumble over."""

    file: str
    format: str
    size_bytes: int
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    census: dict[str, int]
    float_macs: int
    int8_macs: int
    weight_bytes: int
    metadata: ModelMetadata | None
    warnings: tuple[str, ...]
