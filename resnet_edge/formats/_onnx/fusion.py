"""Proof that ONNX Runtime runs an int8 file in integers.

ONNX states an int8 network as float operations between QuantizeLinear and DequantizeLinear,
and it is up to ONNX Runtime to fuse them. Where a pattern misses, it says nothing and runs
the float operation, slower than a float file does (onnxruntime#24374).
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import onnx
import onnxruntime as ort

from resnet_edge.core.errors import ArtifactError

WEIGHTED = frozenset({"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"})
HEAVY = WEIGHTED | {"AveragePool", "GlobalAveragePool"}
"""What must not be left in float, wherever it stands. Other operations may be: a softmax at the
end, or a function that ONNX Runtime has no integer kernel for, such as GELU."""


def require_fused(path: Path, float_layers: Collection[str] = ()) -> None:
    """Raises ArtifactError that names the first operation which ONNX Runtime leaves in float though
    it is not one of `float_layers` (outputs in the portable graph), or where it does not leave all
    convolutions and dense layers among these in float."""
    declared = {name.split(";")[0] for name in float_layers}  # as Builder.name calls them
    written = [*onnx.load(path).graph.node]
    left = _in_float(path)
    undeclared = [node for node in left if not _layers_in(node, written) & declared]
    if undeclared:
        more = f" and {len(undeclared) - 1} more" if len(undeclared) > 1 else ""
        raise ArtifactError(
            f"{path.name} would not run in int8: ONNX Runtime {ort.__version__} leaves "
            f"{_described(undeclared[0])}{more} in float: ask for --formats tflite, or for --schemes fp32"
        )
    expected = sum(node.op_type in WEIGHTED and _layer(node) in declared for node in written)
    kept = sum(node.op_type in WEIGHTED for node in left)
    if kept != expected:
        raise ArtifactError(
            f"{path.name}: ONNX Runtime {ort.__version__} leaves {kept} of {expected} layers in float that "
            "were to stay so: ask for --formats tflite, or for --no-plan"
        )


def left_in_float(path: Path) -> list[str]:
    """The heavy operations in float, and the additions of two quantized tensors, that are left
    when ONNX Runtime has optimized the file; each as "name (operation)". Raises ArtifactError."""
    return [_described(node) for node in _in_float(path)]


def _in_float(path: Path) -> list[onnx.NodeProto]:
    nodes = optimized(path).graph.node
    real = {output for node in nodes if node.op_type == "DequantizeLinear" for output in node.output}
    outputs = {output for node in nodes for output in node.output}
    return [
        node
        for node in nodes
        if node.op_type in HEAVY or (node.op_type == "Add" and outputs.intersection(node.input) <= real)
    ]


def _described(node: onnx.NodeProto) -> str:
    return f"{node.name or node.output[0]} ({node.op_type})"


def _layer(node: onnx.NodeProto) -> str:
    """The layer that a node was lowered from: its name is "layer/Operation"."""
    return node.name.rpartition("/")[0]


def _layers_in(optimized_node: onnx.NodeProto, written: Sequence[onnx.NodeProto]) -> set[str]:
    """The heavy layers that may be in a node of the optimized graph. ONNX Runtime fuses what
    follows into a layer, and names the result after the last of it, with something in front or
    behind: so that node is looked up, and what stands before it up to the next integers."""
    known = [node for node in written if node.name and node.name in optimized_node.name]
    if not known:
        return set()
    makers = {output: node for node in written for output in node.output}
    layers: set[str] = set()
    front = [max(known, key=lambda node: len(node.name))]
    while front:
        node = front.pop()
        if node.op_type in HEAVY or node.op_type == "Add":
            layers.add(_layer(node))
        if node.op_type not in HEAVY | {"QuantizeLinear", "DequantizeLinear"}:
            front += [makers[name] for name in node.input if name in makers]
    return layers


def optimized(path: Path) -> onnx.ModelProto:
    """The graph that ONNX Runtime runs on a CPU. Raises ArtifactError."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="resnet-edge-fused-") as folder:
        options.optimized_model_filepath = str(Path(folder) / "optimized.onnx")
        try:
            ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ORT's exceptions share no base of their own
            raise ArtifactError(f"ONNX Runtime does not open {path.name}: {error}") from error
        return onnx.load(options.optimized_model_filepath)
