"""What stands in .onnx files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from tests.backends import tiny
from tests.inspection.looking import inspected, precisions


def test_constants_in_another_file_are_named(tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    model = onnx.load(str(tmp_path / "fixed.onnx"))
    onnx.save(model, str(tmp_path / "a.onnx"), save_as_external_data=True, location="a.bin", size_threshold=0)
    inspection = inspected(tmp_path / "a.onnx")
    assert any("a.bin" in warning for warning in inspection.warnings)
    assert inspection.parameter_bytes == {"float32": tiny.KERNEL.nbytes + tiny.MATRIX.nbytes}
    assert inspection.size_bytes == sum((tmp_path / name).stat().st_size for name in ("a.onnx", "a.bin"))


def test_an_onnx_graph_of_unknown_types_is_read(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Own", ["x"], ["y"], domain="own")
    value = onnx.helper.make_tensor_value_info
    ends = [value("x", TensorProto.FLOAT, [1, 2])], [value("y", TensorProto.FLOAT, [1, 2])]
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("own", 1)]
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", *ends), opset_imports=opsets),
        str(tmp_path / "a.onnx"),
    )
    assert precisions(inspected(tmp_path / "a.onnx")) == {"Own": ("float32", 0)}


def test_weights_in_constant_nodes_and_properties_are_told(tmp_path: Path) -> None:
    value, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    weights = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32))
    graph = onnx.helper.make_graph(
        [node("Constant", [], ["w"], value=weights), node("Conv", ["x", "w"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 4, 6, 6])],
    )
    model = onnx.helper.make_model(graph, producer_name="else", producer_version="2")
    onnx.helper.set_model_props(model, {"author": "somebody"})
    onnx.save(model, str(tmp_path / "a.onnx"))
    inspection = inspected(tmp_path / "a.onnx")
    assert precisions(inspection)["Conv"] == ("float32", 4 * 6 * 6 * 3 * 3 * 3)
    assert inspection.parameter_bytes == {"float32": 4 * 4 * 3 * 3 * 3}
    assert inspection.made_by[0] == "else 2"
    assert inspection.made_by[-1] == "author: somebody"
