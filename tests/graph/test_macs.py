"""Multiply-accumulates of artifacts by what they are computed in, against counts by hand."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
import pytest

from resnet_edge.core import registry
from resnet_edge.graph.macs import work_of
from tests.backends import tiny
from tests.graph.road import Road

BY_HAND = 8 * 8 * 3 * 3 * 1 * 4 + 4 * tiny.CLASSES
WEIGHTS = 3 * 3 * 4 + 4 * tiny.CLASSES


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize(
    "name", ["fixed.tflite", "dynamic.tflite", "fixed.onnx", "dynamic.onnx", "uint8.onnx"]
)
def test_float_files(files: Path, name: str) -> None:
    work = work_of(files / name)
    assert (work.float_macs, work.int8_macs) == (BY_HAND, 0)
    assert work.weight_bytes >= 4 * WEIGHTS


def test_integer_files(files: Path) -> None:
    work = work_of(files / "int8.tflite")
    assert (work.float_macs, work.int8_macs) == (0, BY_HAND)
    assert WEIGHTS <= work.weight_bytes < 4 * WEIGHTS


@pytest.mark.parametrize("scheme", ["fp32", "fp16", "int8"])
def test_both_formats_of_one_model_have_the_same_work(scheme: str, residual: Road, tmp_path: Path) -> None:
    net = residual
    work = {}
    for name in ("tflite", "onnx"):
        room, chosen = registry.load("formats", name), registry.load("schemes", scheme).SCHEME
        path = tmp_path / f"a.{scheme}{room.SUFFIX}"
        room.write(net.portable(scheme), chosen, "a", path)
        work[name] = work_of(path)
    ours, theirs = work["tflite"], work["onnx"]
    assert (ours.float_macs, ours.int8_macs) == (theirs.float_macs, theirs.int8_macs)
    assert (ours.int8_macs > 0) == (scheme == "int8")
    assert math.isclose(ours.weight_bytes, theirs.weight_bytes, rel_tol=0.5)


def test_a_damaged_graph_that_goes_round_is_counted_all_the_same(tmp_path: Path) -> None:
    """A fuzz run made it: a Transpose that reads what it gives."""
    kernel = onnx.helper.make_tensor("kernel", onnx.TensorProto.FLOAT, (2, 1, 1, 1), [1.0, 2.0])
    nodes = [
        onnx.helper.make_node("Transpose", ["round"], ["round"]),
        onnx.helper.make_node("Conv", ["round", "kernel"], ["y"]),
    ]
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, size, 4, 4))
        for name, size in (("image", 1), ("y", 2))
    ]
    graph = onnx.helper.make_graph(nodes, "round", ends[:1], ends[1:], [kernel])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "round.onnx")
    assert work_of(tmp_path / "round.onnx").float_macs == 4 * 4 * 2
