"""Tests of evaluation.float_rounding, on files of a few weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.evaluation.float_rounding import FLOAT32_DB, rounding_db


def write(path: Path, *kernels: NDArray[Any]) -> Path:
    """A chain of matrices; float16 ones are cast before they multiply, as files with stored halves do."""
    nodes, weights, last = [], [], "x"
    for number, kernel in enumerate(kernels):
        weights.append(numpy_helper.from_array(kernel, f"w{number}"))
        nodes.append(helper.make_node("Cast", [f"w{number}"], [f"f{number}"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("MatMul", [last, f"f{number}"], [f"y{number}"]))
        last = f"y{number}"
    image, scores = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])]
        for name, size in (("x", kernels[0].shape[0]), (last, kernels[-1].shape[1]))
    )
    model = helper.make_model(
        helper.make_graph(nodes, "g", image, scores, weights), opset_imports=[helper.make_opsetid("", 17)]
    )
    onnx.save(model, str(path))
    return path


def kernel(scale: float = 1.0, dtype: type = np.float16, seed: int = 0) -> NDArray[Any]:
    return (np.random.default_rng(seed).normal(0, scale, (32, 32))).astype(dtype)


@pytest.mark.parametrize(("scheme", "expected"), [("fp32", FLOAT32_DB), ("int8", None), ("dynamic", None)])
def test_floats_and_integers_need_no_file(scheme: str, expected: float | None) -> None:
    assert rounding_db("nowhere.onnx", "onnx", scheme) == expected


def test_the_bound_holds_for_what_rounding_really_does(tmp_path: Path) -> None:
    """The weights as they were before they were halves, and their outputs."""
    exact = [kernel(dtype=np.float64, seed=seed) for seed in range(3)]
    path = write(tmp_path / "a.onnx", *(one.astype(np.float16) for one in exact))
    images = np.random.default_rng(9).normal(0, 1, (200, 32))
    ours = theirs = images
    for one in exact:
        ours, theirs = ours @ one, theirs @ one.astype(np.float16).astype(np.float64)
    sqnr = 10 * math.log10(np.square(ours).sum() / np.square(ours - theirs).sum())
    bound = rounding_db(str(path), "onnx", "fp16")
    assert bound is not None
    assert sqnr > bound > 50


def test_each_layer_costs_and_small_weights_cost_more(tmp_path: Path) -> None:
    def bound(name: str, *kernels: NDArray[Any]) -> float:
        decibels = rounding_db(str(write(tmp_path / name, *kernels)), "onnx", "fp16")
        assert decibels is not None
        return decibels

    one = bound("one.onnx", kernel())
    assert bound("four.onnx", *[kernel()] * 4) == pytest.approx(one - 20 * math.log10(4))
    # The scale changes nothing, but for subnormals, whose step is the same whatever their value.
    assert bound("scaled.onnx", kernel(2.0**-6)) == pytest.approx(one, abs=0.2)
    assert bound("subnormal.onnx", kernel(2.0**-20)) < one - 20
    assert bound("floats.onnx", kernel(dtype=np.float32)) > one


def test_weights_of_zero_leave_no_certainty(tmp_path: Path) -> None:
    decibels = rounding_db(str(write(tmp_path / "a.onnx", np.zeros((4, 4), np.float16))), "onnx", "fp16")
    assert decibels is not None
    assert decibels < 0


def test_a_file_that_our_readers_do_not_know_has_no_bound(tmp_path: Path) -> None:
    assert rounding_db(str(tmp_path / "gone.tflite"), "tflite", "fp16") is None
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    )
    onnx.save(helper.make_model(graph), str(tmp_path / "a.onnx"))
    assert rounding_db(str(tmp_path / "a.onnx"), "onnx", "fp16") is None
