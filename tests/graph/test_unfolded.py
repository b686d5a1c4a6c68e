"""Tests of graph.unfolded: calls of functions and subgraphs are counted before anything goes through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path

import onnx
import onnx.inliner
import pytest
from onnx import helper

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.unfolded import Endless, Part, check_unfolded, onnx_parts, tflite_parts, unfolded
from tests.backends import tiny
from tests.graph import calling


def _parts(path: Path) -> Mapping[Hashable, Part]:
    return (onnx_parts if path.suffix == ".onnx" else tflite_parts)(path.read_bytes())


def test_parts_are_counted_as_often_as_they_are_called() -> None:
    parts: dict[Hashable, Part] = {
        None: Part(operations=1, size=10, calls=Counter({"a": 2})),
        "a": Part(operations=1, size=5, calls=Counter({"b": 3})),
        "b": Part(operations=4, size=7),
        "never": Part(operations=9, size=9, calls=Counter({"never": 1})),
    }
    assert unfolded(parts) == Part(operations=1 + 2 * (1 + 3 * 4), size=10 + 2 * (5 + 3 * 7))
    with pytest.raises(Endless):
        unfolded(parts, "never")


@pytest.mark.parametrize("branches", [False, True])
def test_functions_that_call_twice(tmp_path: Path, branches: bool) -> None:
    good = calling.write_onnx(tmp_path / "good.onnx", 8, branches=branches)
    bad = calling.write_onnx(tmp_path / "bad.onnx", 30, branches=branches)
    assert 2**8 < unfolded(_parts(good)).operations < 2**11
    check_unfolded(good)
    with pytest.raises(ArtifactError, match=r"bad\.onnx has parts that call .* bytes, and no file can hold"):
        check_unfolded(bad)


def test_what_is_counted_is_what_onnx_writes_out(tmp_path: Path) -> None:
    model = onnx.load(calling.write_onnx(tmp_path / "a.onnx", 5))
    written = onnx.inliner.inline_local_functions(model)
    calls = 2**6 - 1  # which are counted, too
    assert unfolded(_parts(tmp_path / "a.onnx")).operations == len(written.graph.node) + calls


def test_the_operations_must_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnet_edge.graph.unfolded.available_memory", lambda: 10**9)
    with pytest.raises(ArtifactError, match=r"which take .* and 1,000,000,000 bytes of memory are free"):
        check_unfolded(calling.write_onnx(tmp_path / "a.onnx", 20))


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    model = onnx.load(calling.write_onnx(tmp_path / "a.onnx", 2))
    model.functions[-1].node.append(helper.make_node("F0", ["x"], ["z"], domain=calling.DOMAIN))
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(ArtifactError, match=r"a\.onnx has a part that calls itself without end"):
        check_unfolded(tmp_path / "a.onnx")


def test_subgraphs(tmp_path: Path) -> None:
    good = calling.write_tflite(tmp_path / "good.tflite", 4)
    assert unfolded(_parts(good)).operations > 2**4
    check_unfolded(good)
    with pytest.raises(ArtifactError, match=r"bad\.tflite has parts that call each other so often"):
        check_unfolded(calling.write_tflite(tmp_path / "bad.tflite", 30))
    with pytest.raises(ArtifactError, match=r"self\.tflite has a part that calls itself without end"):
        check_unfolded(calling.write_tflite(tmp_path / "self.tflite", 3, itself=True))


def test_files_without_calls_are_let_through(tmp_path: Path) -> None:
    tiny.write_tflite(tmp_path)
    tiny.write_onnx(tmp_path)
    for path in tmp_path.iterdir():
        check_unfolded(path)


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_damaged_file_is_left_to_whoever_reads_it(tmp_path: Path, suffix: str, share: float) -> None:
    write = calling.write_onnx if suffix == ".onnx" else calling.write_tflite
    content = write(tmp_path / f"a{suffix}", 3).read_bytes()
    (tmp_path / f"b{suffix}").write_bytes(content[: int(share * len(content))])
    check_unfolded(tmp_path / f"b{suffix}")
    check_unfolded(tmp_path / f"missing{suffix}")


def test_fields_of_groups_and_of_all_kinds_are_stepped_over(tmp_path: Path) -> None:
    path = calling.write_onnx(tmp_path / "a.onnx", 30)
    # field 99 as a number, as 8 and 4 bytes, and as an empty group
    more = b"\x98\x06\x80\x01" + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4) + b"\x9b\x06\x9c\x06"
    path.write_bytes(more + path.read_bytes())
    assert onnx.load(path).functions
    with pytest.raises(ArtifactError):
        check_unfolded(path)
