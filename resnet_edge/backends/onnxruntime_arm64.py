"""ONNX Runtime's build for ARM, emulated on x86-64: what phones, single-board computers and ARM servers run.

The integers of a ResNet-20 in int8 come out as on x86, to the bit. What it fuses is another thing on each
processor, though: of a ResNet-50's, 26 % are off by a step. As slow as litert_arm64, it tells nothing of the
speed on ARM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.backends import _arm64_environment
from resnet_edge.backends._border import check_device, check_file
from resnet_edge.backends._program import Program
from resnet_edge.backends._program_session import ProgramSession, onnx_io_spec

FORMATS = frozenset({"onnx"})
DEVICES = frozenset({"cpu"})
KERNELS = "onnxruntime"
FOR_PARITY_ONLY = True

_VERSION = _arm64_environment.require("onnxruntime_arm64", "onnxruntime", native="onnxruntime")


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[ProgramSession]:
    """Open an .onnx or .ort file. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError where qemu does
    not start."""
    check_device("onnxruntime_arm64", device, DEVICES, "a processor is emulated, and nothing beside it")
    check_file(path)
    seconds = _arm64_environment.CALL_SECONDS
    command = _arm64_environment.command("onnxruntime")
    # See workers/process.py.
    program = Program("ONNX Runtime for aarch64", path, command, {"ORT_DISABLE_TELEMETRY": "1"})
    try:
        ends = onnx_io_spec(path, program, threads, seconds)
        yield ProgramSession(path, program, ends, seconds, _arm64_environment.VALUE_SECONDS)
    finally:
        program.close()
