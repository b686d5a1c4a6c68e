"""Microcontrollers with TFLite Micro: int8 at both ends, and the file as an array in C."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.targets import Variant
from resnet_edge.bundle.targets._c_source import c_files
from resnet_edge.core.head import Head
from resnet_edge.graph.io_adapter import Border
from resnet_edge.graph.model import read_graph

TITLE = "TFLite Micro, on microcontrollers"
FORMAT = "tflite"
SCHEMES = ("int8",)
ON_REQUEST: tuple[str, ...] = ()
ON_GPU: tuple[str, ...] = ()
METADATA = False
CHANNELS = None
PHONES = False
PINNED = ("tflite_micro",)


def runtimes(scheme: str) -> tuple[str, ...]:
    """The same for all."""
    return ("litert", "litert_reference", "tflite_micro")


def border(scheme: str, head: Head) -> Border:
    """int8 at both ends: a microcontroller has no float for them. A softmax between them stays in float, as
    `convert` proved it: see mcu_integer.py."""
    return Border(input="int8", output="int8")


def variants(model: Path) -> tuple[Variant, ...]:
    """None."""
    return ()


def companions(model: Path, name: str) -> dict[str, str]:
    """`model_<name>.h` and `.c`, which hold the bytes of `model` as an array and name its operators. Raises
    ArtifactError for one that TFLite Micro does not have."""
    return c_files(name, model.read_bytes(), (node.op for node in read_graph(model).nodes))


def delegates(scheme: str) -> tuple[str, ...]:
    """What stands beside a microcontroller."""
    return ("ethos_u",)
