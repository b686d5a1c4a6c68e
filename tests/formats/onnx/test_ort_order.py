"""The same .ort file wherever it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_edge.formats._onnx.ort_order import in_order
from resnet_edge.formats.onnx import write_ort
from tests.graph.road import Road

pytest.importorskip("onnxruntime")


def test_the_same_file_gives_the_same_bytes(roads: Callable[[str], Road], tmp_path: Path) -> None:
    """Where ONNX Runtime lies in memory is another place each time, and with it the order of its tables."""
    path, _ = roads("residual_v1").artifact("onnx", "int8")
    texts = {write_ort(path, tmp_path / "a.ort")}
    first = (tmp_path / "a.ort").read_bytes()
    for _ in range(2):
        texts.add(write_ort(path, tmp_path / "a.ort"))
        assert (tmp_path / "a.ort").read_bytes() == first
    assert len(texts) == 1
    assert in_order(first) == first


def test_kernels_stand_in_the_order_of_their_names(roads: Callable[[str], Road], tmp_path: Path) -> None:
    """As the generated code reads them."""
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    path, _ = roads("residual_v1").artifact("onnx", "int8")
    write_ort(path, tmp_path / "a.ort")
    session = InferenceSession.GetRootAs((tmp_path / "a.ort").read_bytes(), 0)
    resolver = session.KernelTypeStrResolver()
    names = [resolver.OpKernelTypeStrArgs(i).OpId() for i in range(resolver.OpKernelTypeStrArgsLength())]
    assert names == sorted(names)
    assert len(names) > 3
    assert session.Model().Graph().NodesLength() > 3
