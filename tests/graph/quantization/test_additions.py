"""The emulation of int8 additions against the runtimes themselves, on all 65,536 pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.formats._onnx.fusion import left_in_float
from resnet_edge.graph.model import read_graph, save_model
from resnet_edge.graph.quantization.additions import STORED, aligned_ranges, scale_of, sums, unsettled
from tests.formats.delegation import outside_xnnpack
from tests.graph.road import onnxruntime

Grid = tuple[float, int]


def triple(seed: int) -> tuple[Grid, Grid, Grid]:
    """Scales and zero points of two operands and an output, as calibration gives them."""
    random = np.random.default_rng(seed)
    lows, highs = -random.uniform(0, 3, 2), random.uniform(0.5, 5, 2)
    lows, highs = np.append(lows, lows.sum() * 0.8), np.append(highs, highs.sum() * 0.8)
    scales = [scale_of(low, high) for low, high in zip(lows, highs, strict=True)]
    a, b, out = ((s, int(np.rint(-128 - low / s))) for s, low in zip(scales, lows, strict=True))
    return a, b, out


def write_addition(path: Path, a: Grid, b: Grid, out: Grid) -> None:
    """An int8 .tflite of one ADD of two inputs (1, 1, 256, 256)."""
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors = [schema.TensorT() for _ in range(3)]
    for tensor, name, grid in zip(graph.tensors, ("a", "b", "logits"), (a, b, out), strict=True):
        tensor.name, tensor.shape = name.encode(), np.array((1, 1, 256, 256), np.int32)
        tensor.type, tensor.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
        tensor.quantization.scale = np.array(grid[:1], np.float32)
        tensor.quantization.zeroPoint = np.array(grid[1:], np.int64)
    graph.inputs, graph.outputs = [0, 1], [2]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    code.version = 2
    model.operatorCodes = [code]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1], [2]
    operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
    operator.builtinOptions = schema.AddOptionsT()
    graph.operators = [operator]
    model.subgraphs = [graph]
    save_model(model, path)


def all_pairs() -> NDArray[np.int8]:
    """(1, 2, 256, 256): the first operand along the rows, the second along the columns."""
    rows, columns = np.meshgrid(STORED, STORED, indexing="ij")
    return np.stack([rows, columns])[None].astype(np.int8)


def in_litert(folder: Path, a: Grid, b: Grid, out: Grid) -> NDArray[Any]:
    write_addition(folder / "add.tflite", a, b, out)
    assert outside_xnnpack(folder / "add.tflite") == []
    interpreter = Interpreter(str(folder / "add.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    for index, operand in enumerate(np.split(all_pairs(), 2, axis=1)):
        interpreter.set_tensor(index, operand)
    interpreter.invoke()
    sums: NDArray[Any] = interpreter.get_tensor(2)[0, 0]
    return sums


def in_onnxruntime(folder: Path, a: Grid, b: Grid, out: Grid) -> NDArray[Any]:
    """The same addition as formats/_onnx writes it: uint8, between Q and DQ; fused to QLinearAdd."""
    nodes, constants = [], [numpy_helper.from_array(np.array([1]), "axes")]
    for name, (scale, zero_point) in zip("abo", (a, b, out), strict=True):
        constants += [
            numpy_helper.from_array(np.array(scale, np.float32), f"{name}_scale"),
            numpy_helper.from_array(np.array(zero_point + 128, np.uint8), f"{name}_zero"),
        ]
    nodes.append(helper.make_node("Split", ["image"], ["a", "b"], axis=1))
    for name in "ab":
        nodes.append(
            helper.make_node("DequantizeLinear", [name, f"{name}_scale", f"{name}_zero"], [f"{name}r"])
        )
    nodes.append(helper.make_node("Add", ["ar", "br"], ["sum"]))
    nodes.append(helper.make_node("QuantizeLinear", ["sum", "o_scale", "o_zero"], ["logits"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, [1, channels, 256, 256])
        for name, channels in (("image", 2), ("logits", 1))
    ]
    graph = helper.make_graph(nodes, "add", ends[:1], ends[1:], constants)
    path = folder / "add.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    assert left_in_float(path) == []
    unsigned = onnxruntime(path, (all_pairs().astype(np.int16) + 128).astype(np.uint8))[0, 0]
    signed: NDArray[Any] = (unsigned.astype(np.int16) - 128).astype(np.int8)
    return signed


def emulated(a: Grid, b: Grid, out: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
    ratios = (
        np.float32(np.float32(a[0]) / np.float32(out[0])),
        np.float32(np.float32(b[0]) / np.float32(out[0])),
    )
    fixed, exact = sums(ratios, (a[1], b[1]))
    return (
        np.clip(fixed + out[1], -128, 127).astype(np.int8),
        np.clip(np.rint(exact) + out[1], -128, 127).astype(np.int8),
    )


@pytest.mark.parametrize("seed", range(12))
def test_fixed_point_is_that_of_xnnpack(seed: int, tmp_path: Path) -> None:
    grids = triple(seed)
    np.testing.assert_array_equal(in_litert(tmp_path, *grids), emulated(*grids)[0])


def test_runtimes_differ_before_the_alignment(tmp_path: Path) -> None:
    pairs = [
        np.count_nonzero(in_litert(tmp_path, *g) != in_onnxruntime(tmp_path, *g))
        for g in map(triple, range(12))
    ]
    assert sum(pairs) > 0, "there would be nothing to align"
    assert max(pairs) < 655, "one in a hundred is more than rounding of halves explains"


@pytest.mark.parametrize("seed", range(12))
def test_runtimes_agree_on_every_pair_after_the_alignment(seed: int, tmp_path: Path) -> None:
    a, b, out = triple(seed)
    write_addition(tmp_path / "add.tflite", a, b, out)
    low, high = (float(np.float32(out[0]) * (edge - out[1])) for edge in (-128, 127))
    low, high = aligned_ranges(read_graph(tmp_path / "add.tflite"), {"logits": (low, high)})["logits"]
    aligned = (scale_of(low, high), out[1])
    assert 0 < aligned[0] / out[0] < 1.0045
    theirs = in_litert(tmp_path, a, b, aligned)
    assert unsettled(read_graph(tmp_path / "add.tflite")) == ()
    np.testing.assert_array_equal(in_onnxruntime(tmp_path, a, b, aligned), theirs)
    assert len(np.unique(theirs)) > 200


def test_range_that_is_not_known_stays_unknown(tmp_path: Path) -> None:
    write_addition(tmp_path / "add.tflite", *triple(0))
    assert aligned_ranges(read_graph(tmp_path / "add.tflite"), {}) == {}


@pytest.mark.parametrize("ratio", [2.0**9, 2.0**20, 2.0**24])
def test_an_operand_that_is_far_beyond_the_sum_is_said_and_left(ratio: float, tmp_path: Path) -> None:
    """As where training has broken a network: XNNPACK refuses such an addition."""
    write_addition(tmp_path / "add.tflite", (ratio, 0), (1.0, 0), (1.0, 0))
    graph = read_graph(tmp_path / "add.tflite")
    assert aligned_ranges(graph, {"logits": (-128.0, 127.0)}) == {"logits": (-128.0, 127.0)}
    assert unsettled(graph) == ("logits",)
