"""Microcontrollers that have no floats: as mcu.py, and a last softmax or sigmoid in int8 as well."""

from __future__ import annotations

from resnet_edge.bundle.targets.mcu import (
    CHANNELS,
    FORMAT,
    METADATA,
    ON_GPU,
    ON_REQUEST,
    PHONES,
    SCHEMES,
    companions,
    delegates,
    runtimes,
    variants,
)
from resnet_edge.core.head import Head
from resnet_edge.graph.io_adapter import Border

__all__ = [
    "CHANNELS",
    "FORMAT",
    "METADATA",
    "ON_GPU",
    "ON_REQUEST",
    "PHONES",
    "SCHEMES",
    "TITLE",
    "border",
    "companions",
    "delegates",
    "runtimes",
    "variants",
]

TITLE = "TFLite Micro, on microcontrollers that compute with integers alone"


def border(scheme: str, head: Head) -> Border:
    """int8 at both ends and everywhere between. Probabilities then have steps of 1/256."""
    return Border(input="int8", output="int8", integer_scores=True)
