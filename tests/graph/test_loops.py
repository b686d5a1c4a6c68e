"""Tests of graph.loops: what has a loop is known, however it is written, and what has none is left alone."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper

from resnet_edge.formats.onnx import write_ort
from resnet_edge.graph import loops
from resnet_edge.graph.loops import has_loop
from tests.backends import tiny
from tests.graph import endless


def test_loops_are_found(tmp_path: Path) -> None:
    files = [endless.write_onnx(tmp_path / "a.onnx"), endless.write_tflite(tmp_path / "a.tflite")]
    write_ort(files[0], tmp_path / "a.ort")
    assert [has_loop(str(path)) for path in (*files, tmp_path / "a.ort")] == [True] * 3


def test_a_scan_goes_round_as_a_loop_does(tmp_path: Path) -> None:
    """As often as a tensor has rows, of which 400 million of one number each fit into a kilobyte."""
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    body = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "b", [value], [])
    scan = helper.make_node("Scan", ["rows"], ["sums"], body=body, num_scan_inputs=1)
    onnx.save(helper.make_model(helper.make_graph([scan], "g", [], [])), tmp_path / "a.onnx")
    assert has_loop(str(tmp_path / "a.onnx"))


def test_files_without_one_have_none(tmp_path: Path) -> None:
    tiny.write_tflite(tmp_path)
    tiny.write_onnx(tmp_path)
    write_ort(tmp_path / "fixed.onnx", tmp_path / "fixed.ort")
    files = [path for path in tmp_path.iterdir() if path.suffix in (".tflite", ".onnx", ".ort")]
    assert len(files) > 4
    assert not any(has_loop(str(path)) for path in files)


def test_a_loop_in_a_branch_or_a_function_is_found(tmp_path: Path) -> None:
    model = onnx.load(str(endless.write_onnx(tmp_path / "a.onnx")))
    loop = model.graph.node.pop()
    inner = helper.make_graph([loop], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["true"], ["logits"], then_branch=inner))
    onnx.save(model, tmp_path / "branch.onnx")
    model.graph.node.pop()
    opset = [helper.make_opsetid("", 13)]
    model.functions.append(helper.make_function("f", "F", [], ["logits"], [loop], opset))
    onnx.save(model, tmp_path / "function.onnx")
    assert has_loop(str(tmp_path / "branch.onnx"))
    assert has_loop(str(tmp_path / "function.onnx"))


@pytest.mark.parametrize("length", [b"\x04", b"\x84\x00", b"\x84\x80\x80\x00"])
@pytest.mark.parametrize("before", [0, loops.BLOCK - 8, loops.BLOCK - 1])
def test_the_length_may_be_written_otherwise_and_lie_anywhere(
    tmp_path: Path, length: bytes, before: int
) -> None:
    """protobuf.dev/programming-guides/encoding: a number may take more bytes than it needs."""
    node = helper.make_node("Loop", ["a"], ["b"]).SerializeToString()
    content = node.replace(b"\x04Loop", length + b"Loop")
    assert onnx.NodeProto.FromString(content).op_type == "Loop"
    (tmp_path / "a.onnx").write_bytes(bytes(before) + content)
    assert has_loop(str(tmp_path / "a.onnx"))


def test_a_name_is_no_loop(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["Loop"], ["Loops"], name="A Loop")
    (tmp_path / "a.onnx").write_bytes(node.SerializeToString().replace(b"\x04Loop", b"\x05xLoop"))
    assert not has_loop(str(tmp_path / "a.onnx"))


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_what_cannot_be_read_is_for_who_opens_it(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"empty{suffix}").write_bytes(b"")
    assert not has_loop(str(tmp_path / f"empty{suffix}"))
    assert not has_loop(str(tmp_path / f"none{suffix}"))
    assert not has_loop(str(tmp_path))


def test_what_is_damaged_is_timed(tmp_path: Path) -> None:
    content = endless.write_tflite(tmp_path / "a.tflite").read_bytes()
    (tmp_path / "b.tflite").write_bytes(b"\xff" * 4 + content[4:])
    assert has_loop(str(tmp_path / "b.tflite"))
