"""IREE: what the contract of all backends does not ask."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from tests.backends import tiny


@pytest.fixture(scope="module")
def iree() -> Any:
    try:
        return registry.load("backends", "iree")
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


def test_what_it_does_not_compile_is_refused_with_the_compilers_reason(iree: Any, tmp_path: Path) -> None:
    """A classifier by its ends, with an operation that no compiler knows."""
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 8, 8, 1]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 4]),
    ]
    node = helper.make_node("Divination", ["image"], ["logits"], domain="com.example")
    graph = helper.make_graph([node], "net", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)]
    path = tmp_path / "unknown.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    with (
        pytest.raises(ArtifactError, match="cannot be compiled by IREE .*Divination") as caught,
        iree.open_session(path, "cpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_session_has_the_threads_that_it_is_asked_for(iree: Any, artifacts: Path) -> None:
    """One: the caller itself. More: workers, and one that waits; nothing is left of it afterwards."""

    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    if not Path("/proc/self/task").is_dir():
        pytest.skip("only Linux tells")
    path, image = artifacts / "fixed.onnx", tiny.pixels(1).astype(np.float32)
    counts = {}
    for count in (1, 2, 3):
        before = threads()
        with iree.open_session(path, "cpu", count) as session:
            session.run(image)
            counts[count] = threads() - before
    assert counts[3] - counts[2] == 1
    assert counts[1] < counts[2]


def test_the_same_file_gives_the_same_numbers_when_it_is_compiled_again(iree: Any, artifacts: Path) -> None:
    image = tiny.pixels(1).astype(np.float32)
    runs = []
    for _ in range(2):
        with iree.open_session(artifacts / "fixed.onnx", "cpu", 1) as session:
            runs.append(session.run(image))
    np.testing.assert_array_equal(*runs)
