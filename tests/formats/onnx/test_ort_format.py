"""formats/_onnx/ort_format.py: the same numbers, in ONNX Runtime's own format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.formats._onnx.ort_format import unsigned_weights
from resnet_edge.formats.onnx import optimized, write_ort
from tests.diagnosis.overflow.test_emulation import IMAGES, written
from tests.graph.road import Road

ort = pytest.importorskip("onnxruntime")


def outputs(path: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_it_gives_what_the_onnx_file_gives(scheme: str, roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", scheme)
    shape = [d.dim_value for d in onnx.load(path).graph.input[0].type.tensor_type.shape.dim]
    images = np.random.default_rng(0).integers(0, 256, (16, *shape[1:])).astype(np.float32)
    operators = write_ort(path, tmp_path / "a.ort")
    wanted = outputs(path, images)
    assert len(np.unique(wanted)) > 8
    # Floats: the session that opens the .onnx file chooses a layout for this processor.
    bound = 0.0 if scheme == "int8" else 1e-5 * float(np.abs(wanted).max())
    np.testing.assert_allclose(outputs(tmp_path / "a.ort", images), wanted, rtol=0, atol=bound)
    assert "QLinearConv" in operators if scheme == "int8" else "Conv" in operators
    assert operators.startswith("# Generated from a.ort\nai.onnx;")


def test_no_int8_weight_is_left_that_could_overflow(roads: Callable[[str], Road]) -> None:
    model = onnx.load(roads("residual_v1").artifact("onnx", "int8")[0])
    before = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    assert unsigned_weights(model) > 0
    types = {c.name: c.data_type for c in model.graph.initializer}
    after = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    nodes = [n for n in model.graph.node if n.op_type == "DequantizeLinear"]
    nodes = [n for n in nodes if n.input[0] in before and before[n.input[0]].dtype == np.int8]
    assert nodes
    for node in nodes:
        weight, _, zero = node.input
        assert types[weight] == types[zero] == TensorProto.UINT8
        # What they mean, weight - zero point, is what it was.
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        sizes = [-1 if place == axis else 1 for place in range(before[weight].ndim)]
        meant = after[weight].astype(int) - after[zero].astype(int).reshape(sizes)
        np.testing.assert_array_equal(meant, before[weight].astype(int) - before[zero].reshape(sizes))


def test_weights_that_could_overflow_are_exact_in_any_session(tmp_path: Path) -> None:
    path = written(tmp_path, "plain")
    write_ort(path, tmp_path / "a.ort")
    emulation = Emulation(optimized(path))
    exact = np.concatenate([emulation.run(image[None], cut=False) for image in IMAGES])
    np.testing.assert_array_equal(outputs(tmp_path / "a.ort", IMAGES), exact)


def test_what_onnxruntime_cannot_read_is_one_line(tmp_path: Path) -> None:
    node = onnx.helper.make_node("NoSuchOperation", ["x"], ["y"])
    value = [onnx.helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", value[:1], value[1:])), tmp_path / "a.onnx"
    )
    with pytest.raises(ArtifactError, match="cannot be made an .ort file") as caught:
        write_ort(tmp_path / "a.onnx", tmp_path / "a.ort")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.ort").exists()
