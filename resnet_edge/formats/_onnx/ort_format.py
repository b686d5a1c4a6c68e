"""ONNX Runtime's own format (.ort), for its small builds: operators fused beforehand, and no others needed.

Its converter is called as its documentation says (onnxruntime.ai/docs/performance/model-optimizations/
ort-format-models.html), in style Fixed. What is fused there stays as it is, whatever the processor, so that
int8 weights of which a pair can overflow on x86 without VNNI (graph/quantization/pair_bound.py: none of
ours) would do so in any session (`session.x64quantprecision` comes too late). As uint8, with 128 as
their zero point, such weights are the same numbers, and no kernel overflows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.core.packages import missing_package
from resnet_edge.graph.onnx_pairs import can_overflow
from resnet_edge.graph.unfolded import check_unfolded

CONVERTER = "onnxruntime.tools.convert_onnx_models_to_ort"
SECONDS = 600.0
MIDDLE = 128


def write_ort(source: Path, out: Path) -> str:
    """Write the network of an .onnx file to `out`. The list of the operators and types that it takes, as
    ONNX Runtime's build takes it (--include_ops_by_config). Raises ArtifactError, MissingDependency."""
    if find_spec("onnxruntime") is None:
        raise MissingDependency(missing_package("onnxruntime") or "onnxruntime is not installed")
    from resnet_edge.formats._onnx.ort_order import in_order  # of onnxruntime

    check_unfolded(source)
    with tempfile.TemporaryDirectory(prefix="resnet-edge-ort-") as place:
        folder = Path(place)
        model = onnx.load(source)
        if can_overflow(model):
            unsigned_weights(model)
        onnx.save(model, folder / "model.onnx")
        _convert(source, folder)
        out.write_bytes(in_order((folder / "model.ort").read_bytes()))
        listed = (folder / "model.required_operators_and_types.config").read_text("utf-8")
    # Its comment names the folder.
    lines = [line for line in listed.splitlines() if not line.startswith("#")]
    return "\n".join([f"# Generated from {out.name}", *lines]) + "\n"


def unsigned_weights(model: onnx.ModelProto) -> int:
    """Make int8 constants behind a DequantizeLinear uint8, in place; how many there were."""
    constants = {constant.name: constant for constant in model.graph.initializer}
    moved: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            continue
        if constants[node.input[0]].data_type != TensorProto.INT8:
            continue
        if len(node.input) < 3 or node.input[2] not in constants:
            raise ArtifactError(f"{node.input[0]}: its zero point is no constant of the file")
        for name in {node.input[0], node.input[2]} - moved:
            values = numpy_helper.to_array(constants[name]).astype(np.int16) + MIDDLE
            constants[name].CopyFrom(numpy_helper.from_array(values.astype(np.uint8), name))
            moved.add(name)
    return len(moved)


def _convert(source: Path, folder: Path) -> None:
    command = [sys.executable, "-P", "-m", CONVERTER, "model.onnx", "--optimization_style", "Fixed"]
    command += ["--enable_type_reduction", "--target_platform", "arm"]
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    environment |= {"PATH": os.defpath, "PYTHONHASHSEED": "0", "ORT_DISABLE_TELEMETRY": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"{source} took more than {SECONDS:.0f} s to become an .ort file") from error
    if done.returncode == 0 and (folder / "model.ort").is_file():
        return
    said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    why = said[-1][:200] if said else f"it ended with code {done.returncode}"
    raise ArtifactError(f"{source} cannot be made an .ort file ({why}): use the .onnx file")
