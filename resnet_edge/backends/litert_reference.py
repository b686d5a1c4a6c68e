"""LiteRT's reference kernels: slow, written for clarity, the same on every processor.

They are what tflite-micro runs bit for bit, and so what an int8 file gives on a microcontroller. LiteRT's
`CpuKernelMode.REFERENCE` is not them: it gives the optimized kernels, to the bit.

They abort the process (SIGABRT) in an int8 softmax over a thousand scores that are almost the same, which
the optimized kernels compute. The worker then fails, with one line. A file that ends with logits has no
softmax.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from ai_edge_litert.interpreter import OpResolverType

from resnet_edge.backends._border import check_device
from resnet_edge.backends._litert.execution import executed_by
from resnet_edge.backends._litert.session import InterpreterSession, opened
from resnet_edge.core.results.execution import OperatorRun

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})
KERNELS = "reference"
FOR_PARITY_ONLY = True


def version() -> str:
    """The version of the runtime."""
    return metadata.version("ai-edge-litert")


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[InterpreterSession]:
    """Open a .tflite file. Raises DeviceUnavailable, ArtifactError."""
    check_device("litert_reference", device, DEVICES, "the reference kernels are for the CPU")
    yield opened(path, threads, OpResolverType.BUILTIN_REF)


def execution(path: Path, device: str) -> tuple[OperatorRun, ...]:
    """The operations of an inference. Raises DeviceUnavailable, ArtifactError."""
    check_device("litert_reference", device, DEVICES, "the reference kernels are for the CPU")
    return executed_by(path, "LiteRT's reference kernels")
