"""Proof that ONNX Runtime runs an int8 file in integers.

ONNX states an int8 network as float operations between QuantizeLinear and DequantizeLinear,
and it is up to ONNX Runtime to fuse them. Where a pattern misses, it says nothing and runs
the float operation, slower than a float file does (onnxruntime#24374).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import onnxruntime as ort

from resnet_edge.core.errors import ArtifactError

HEAVY = frozenset(
    {"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "AveragePool"}
    | {"GlobalAveragePool"}
)
"""What must not be left in float, wherever it stands. Other operations may be: a softmax at the
end, or a function that ONNX Runtime has no integer kernel for, such as GELU."""


def require_fused(path: Path) -> None:
    """Raises ArtifactError that names the first operation which ONNX Runtime leaves in float."""
    left = left_in_float(path)
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise ArtifactError(
            f"{path.name} would not run in int8: ONNX Runtime {ort.__version__} leaves {left[0]}{more} "
            "in float: ask for --formats tflite, or for --schemes fp32"
        )


def left_in_float(path: Path) -> list[str]:
    """The heavy operations in float, and the additions of two quantized tensors, that are left
    when ONNX Runtime has optimized the file; each as "name (operation)". Raises ArtifactError."""
    nodes = optimized(path).graph.node
    real = {output for node in nodes if node.op_type == "DequantizeLinear" for output in node.output}
    made = {output for node in nodes for output in node.output}
    return [
        f"{node.name or node.output[0]} ({node.op_type})"
        for node in nodes
        if node.op_type in HEAVY or (node.op_type == "Add" and made.intersection(node.input) <= real)
    ]


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
