"""LiteRT's build for ARM, emulated on x86-64: the kernels that phones and single-board computers run.

Its int8 convolutions and matrix products are those of x86, to the bit; an int8 softmax is a step off in 0.6 %
of its values, and floats differ by 3e-6 of the largest. It is far slower than either processor: a ResNet-20
takes 24 ms for an image in int8 and 288 ms in float32. It tells nothing of the speed on ARM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.backends import _arm64_environment
from resnet_edge.backends._border import check_device
from resnet_edge.backends._litert.session import declared, mend_of
from resnet_edge.backends._program import Program, Refused
from resnet_edge.backends._program_session import ProgramSession, opened
from resnet_edge.core.errors import ArtifactError, first_line

FORMATS = frozenset({"tflite"})
DEVICES = frozenset({"cpu"})
KERNELS = "xnnpack"
SAME_SCORES = "integers"
FOR_PARITY_ONLY = True

_VERSION = _arm64_environment.require("litert_arm64", "ai-edge-litert", native="litert")


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[ProgramSession]:
    """Open a .tflite file. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError where qemu does not
    start."""
    check_device("litert_arm64", device, DEVICES, "a processor is emulated, and nothing beside it")
    ends = declared(path)
    seconds = _arm64_environment.CALL_SECONDS
    program = Program("LiteRT for aarch64", path, _arm64_environment.command("tflite"), {})
    try:
        try:
            opened(path, program, threads, seconds)
        except Refused as refused:
            raise ArtifactError(
                f"{path} cannot be opened as TFLite ({first_line(refused)}): {mend_of(refused)}"
            ) from refused
        yield ProgramSession(path, program, ends, seconds, _arm64_environment.VALUE_SECONDS)
    finally:
        program.close()
