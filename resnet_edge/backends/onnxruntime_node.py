"""ONNX Runtime in Node.js, on the CPU: what an application on Electron or a server in JavaScript runs.

It is the library of the Python package in another binding, and gives the same numbers, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.backends._border import check_device, check_file
from resnet_edge.backends._precise_sums import needs_precise_sums
from resnet_edge.backends._program import FOLDER, Program
from resnet_edge.backends._program_session import ProgramSession, onnx_io_spec
from resnet_edge.backends._web.packages import node, node_modules, require

FORMATS = frozenset({"onnx"})
DEVICES = frozenset({"cpu"})
KERNELS = "onnxruntime"
SAME_SCORES = "all"
FOR_PARITY_ONLY = True
CALL_SECONDS = 120.0
VALUE_SECONDS = 1e-3

_VERSION = require("onnxruntime_node", "onnxruntime-node", "dist/index.js", browser=False)
_NODE = node("onnxruntime_node")


def version() -> str:
    """The version of the runtime."""
    return _VERSION


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[ProgramSession]:
    """Open an .onnx or .ort file. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError where Node.js
    does not start."""
    check_device("onnxruntime_node", device, DEVICES, "npm brings it for the CPU")
    check_file(path)
    command = [_NODE, str(FOLDER / "onnxruntime_node.mjs"), str(node_modules())]
    # See workers/process.py.
    environment = {"ORT_DISABLE_TELEMETRY": "1"}
    if needs_precise_sums(path):
        environment["PRECISE_SUMS"] = "1"
    program = Program("onnxruntime-node", path, command, environment)
    try:
        ends = onnx_io_spec(path, program, threads, CALL_SECONDS)
        yield ProgramSession(path, program, ends, CALL_SECONDS, VALUE_SECONDS)
    finally:
        program.close()
