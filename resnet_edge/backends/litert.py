"""LiteRT: on the CPU through the Interpreter with its default delegate (XNNPACK), on the GPU through a
CompiledModel (backends/_litert/gpu.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import OpResolverType
from numpy.typing import NDArray

from resnet_edge.backends import Session
from resnet_edge.backends._border import check_device, check_file
from resnet_edge.backends._litert.session import opened
from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.core.results.execution import OperatorRun
from resnet_edge.core.results.profile import Profile

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu", "gpu"})
DEVICE_PACKAGES = {"gpu": ""}
KERNELS = "xnnpack"
FIRST_FOR = ("tflite",)
OTHERS = "its other accelerators need the plug-in and the machine of their vendor"


def version() -> str:
    """The version of the runtime."""
    return metadata.version("ai-edge-litert")


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[Session]:
    """Open a .tflite file; `threads` are the CPU's. Raises DeviceUnavailable, ArtifactError."""
    check_device("litert", device, DEVICES, OTHERS)
    if device == "gpu":
        from resnet_edge.backends._litert.gpu import open_gpu

        with open_gpu(path) as session:
            yield session
    else:
        yield opened(path, threads, OpResolverType.AUTO)


def profile(path: Path, device: str, threads: int, images: NDArray[Any], runs: int) -> Profile:
    """The operators of an inference on `images`, XNNPACK's among them. Raises DeviceUnavailable,
    ArtifactError. To be called in a process that ends soon."""
    from resnet_edge.backends._litert.fold import folded
    from resnet_edge.backends._litert.profile import watch
    from resnet_edge.graph.model import read_graph

    check_device("litert", device, DEVICES, OTHERS)
    if device != "cpu":
        raise DeviceUnavailable(
            f"LiteRT reports the times of operators on the cpu only, and not on the {device}"
        )
    check_file(path)
    kinds, microseconds = watch(path, threads, images, runs)
    return Profile(folded(read_graph(path), kinds, microseconds), runs)


def execution(path: Path, device: str) -> tuple[OperatorRun, ...] | None:
    """The operations of an inference; None on the GPU, whose delegate does not tell. Raises ArtifactError."""
    from resnet_edge.backends._litert.execution import OWN, executed_by

    check_device("litert", device, DEVICES, OTHERS)
    return executed_by(path, OWN) if device == "cpu" else None
