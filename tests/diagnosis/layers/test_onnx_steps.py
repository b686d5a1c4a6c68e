"""What is read of ONNX models of a few nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.layers.onnx_steps import open_onnx, steps_of
from resnet_edge.diagnosis.layers.steps import OpenedSteps
from tests.diagnosis.layers.onnx_files import model_of

RANDOM = np.random.default_rng(6)


def read(*nodes: onnx.NodeProto, **constants: Any) -> OpenedSteps:
    """A model whose shapes do not matter; what it gives must be called `scores`."""
    return steps_of(model_of(nodes, constants, [1, 3, 8, 8], ["n"]), "net.onnx")


def kernel(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


node = helper.make_node


def test_a_convolution_has_its_outputs_first_and_its_channels_last() -> None:
    values, bias = kernel(4, 3, 5, 2), kernel(4)
    (step,) = read(
        node("Conv", ["image", "w", "b"], ["scores"], strides=[2, 1], dilations=[1, 3]), w=values, b=bias
    ).steps
    assert (step.kind, step.window) == ("weighted", "stride 2 x 1, dilation 1 x 3")
    assert step.weights is not None
    np.testing.assert_array_equal(step.weights.kernel, values.transpose(0, 2, 3, 1))
    assert step.weights.bias is not None
    np.testing.assert_array_equal(step.weights.bias.values, bias)
    assert (step.weights.axis, step.weights.groups) == (1, 1)


@pytest.mark.parametrize(
    ("op", "options", "shape", "axes"),
    [
        ("ConvTranspose", {}, (3, 4, 2, 2), (1, 2, 3, 0)),
        ("Gemm", {}, (6, 4), (1, 0)),
        ("Gemm", {"transB": 1}, (4, 6), (0, 1)),
        ("MatMul", {}, (6, 4), (1, 0)),
    ],
)
def test_every_layer_has_its_outputs_first(
    op: str, options: dict[str, Any], shape: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    values = kernel(*shape)
    (step,) = read(node(op, ["image", "w"], ["scores"], **options), w=values).steps
    assert step.weights is not None
    rows_first = step.weights.kernel
    np.testing.assert_array_equal(rows_first.reshape(values.transpose(axes).shape), values.transpose(axes))
    assert rows_first.shape[0] == 4
    assert rows_first.ndim == 4


@pytest.mark.parametrize(
    "computed",
    [
        node("MatMul", ["image", "image"], ["scores"]),
        node("MatMul", ["w", "image"], ["scores"]),
        node("Conv", ["image", "line"], ["scores"]),
    ],
    ids=["of two tensors", "from the left", "of one dimension"],
)
def test_what_has_no_kernel_of_an_image_is_unknown(computed: onnx.NodeProto) -> None:
    (step,) = read(computed, w=kernel(8, 8), line=kernel(4, 3, 3)).steps
    assert (step.kind, step.weights) == ("other", None)


@pytest.mark.parametrize(
    ("op", "options", "kind", "gain"),
    [
        ("Relu", {}, "elementwise", 1.0),
        ("HardSwish", {}, "elementwise", 1.5),
        ("LeakyRelu", {"alpha": 3.0}, "elementwise", 3.0),
        ("LeakyRelu", {"alpha": 0.2}, "elementwise", 1.0),
        ("Elu", {"alpha": 2.0}, "elementwise", 2.0),
        ("HardSigmoid", {"alpha": 4.0}, "elementwise", 1.0),
        ("Transpose", {"perm": [0, 2, 3, 1]}, "move", 1.0),
        ("Floor", {}, "other", 1.0),
    ],
)
def test_what_operations_do_to_errors(op: str, options: dict[str, Any], kind: str, gain: float) -> None:
    (step,) = read(node(op, ["image"], ["scores"], **options)).steps
    assert (step.kind, step.gain) == (kind, gain)
    assert step.axes == (tuple(options["perm"]) if op == "Transpose" else None)


@pytest.mark.parametrize(
    ("mode", "kind"), [("nearest", "move"), ("linear", "elementwise"), ("cubic", "other")]
)
def test_a_resize_moves_or_mixes(mode: str, kind: str) -> None:
    scales = np.array([1, 1, 2, 2], np.float32)
    (step,) = read(node("Resize", ["image", "", "scales"], ["scores"], mode=mode), scales=scales).steps
    assert step.kind == kind


@pytest.mark.parametrize(
    ("op", "inputs", "kind"),
    [
        ("Add", ("image", "c"), "sum"),
        ("Sub", ("c", "image"), "sum"),
        ("Mul", ("c", "image"), "product"),
        ("Div", ("image", "c"), "quotient"),
        ("Div", ("c", "image"), "other"),  # how that rounds depends on the image
    ],
)
def test_the_constant_of_a_pair(op: str, inputs: tuple[str, str], kind: str) -> None:
    (step,) = read(node(op, [*inputs], ["scores"]), c=np.float32(2.5)).steps
    assert (step.kind, step.reads) == (kind, ("image",))
    assert (step.constant is not None) is (kind != "other")
    if step.constant is not None:
        assert step.constant.values == 2.5


def test_a_normalization_enlarges_by_its_steepest_channel() -> None:
    vectors = {
        "gamma": np.array([1, -4, 2], np.float32),
        "beta": kernel(3),
        "mean": kernel(3),
        "variance": np.array([1, 0.24, 1], np.float32),
    }
    normalization = node("BatchNormalization", ["image", *vectors], ["scores"], epsilon=0.01)
    (step,) = read(normalization, **vectors).steps
    assert step.kind == "elementwise"
    assert step.gain == pytest.approx(8)


def test_the_slopes_of_a_prelu_are_its_constant() -> None:
    (step,) = read(
        node("PRelu", ["image", "slopes"], ["scores"]), slopes=np.array([[[0.5]], [[-3]], [[1]]], np.float32)
    ).steps
    assert step.gain == 3
    assert step.constant is not None


def quantized(scale: Any, zero: Any, back: Any | None = None) -> OpenedSteps:
    """A grid, a transposition, and real numbers again, by another scale if that is given."""
    return read(
        node("QuantizeLinear", ["image", "s", "z"], ["q"]),
        node("Transpose", ["q"], ["t"], perm=[0, 2, 3, 1]),
        node("DequantizeLinear", ["t", "r", "z"], ["scores"]),
        s=np.float32(scale), z=zero, r=np.float32(scale if back is None else back),
    )  # fmt: skip


def test_a_grid_goes_through_what_moves_it() -> None:
    opened = quantized(0.5, np.uint8(128))
    assert opened.grids.keys() == {"q", "t"}
    grid = opened.grids["t"]
    assert (grid.low, grid.high, grid.step) == (-64.0, 63.5, 0.5)
    assert opened.oddities == ()


def test_a_scale_that_is_written_and_another_that_is_read_is_odd() -> None:
    ((name, text),) = quantized(0.5, np.int8(0), 0.4).oddities
    assert name == "scores"
    assert text == "it is stored with scale 0.5 and read with 0.4 (zero point 0)"


def test_constants_that_are_computed_are_no_steps() -> None:
    """A kernel in 8 bits behind a DequantizeLinear."""
    opened = read(
        node("DequantizeLinear", ["w", "s", "z"], ["kernel"], axis=0),
        node("Conv", ["image", "kernel"], ["scores"]),
        w=np.full((2, 3, 1, 1), 10, np.int8), s=np.array([0.1, 0.2], np.float32), z=np.zeros(2, np.int8),
    )  # fmt: skip
    (step,) = opened.steps
    assert step.weights is not None
    np.testing.assert_allclose(step.weights.kernel[:, 0, 0, 0], [1, 2], rtol=1e-6)
    np.testing.assert_allclose(step.weights.variance[:, 0, 0, 0], np.array([0.01, 0.04]) / 12, rtol=1e-6)


def test_sizes_of_an_open_batch_are_no_steps() -> None:
    opened = read(
        node("Shape", ["image"], ["size"]),
        node("Reshape", ["image", "size"], ["same"]),
        node("Relu", ["same"], ["scores"]),
    )
    assert [(step.op, step.reads) for step in opened.steps] == [("reshape", ("image",)), ("relu", ("same",))]


def test_nodes_in_any_order_are_read(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["scores"]), node("Neg", ["image"], ["x"])]
    onnx.save(model_of(nodes, {}, [1, 2], [1, 2]), tmp_path / "net.onnx")
    opened = open_onnx(tmp_path / "net.onnx")
    assert [step.op for step in opened.steps] == ["neg", "relu"]
    assert (opened.entry, opened.exit) == ("image", "scores")


def test_a_graph_of_two_inputs_is_refused() -> None:
    model = model_of([node("Add", ["image", "other"], ["scores"])], {}, [1, 2], [1, 2])
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1, 2]))
    with pytest.raises(ArtifactError, match="net.onnx has 2 inputs and 1 outputs"):
        steps_of(model, "net.onnx")


def test_a_constant_among_the_inputs_is_none_of_them() -> None:
    """As files of before IR version 4 have it."""
    model = model_of([node("Add", ["image", "c"], ["scores"])], {"c": np.float32(1)}, [1, 2], [1, 2])
    model.graph.input.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, []))
    assert steps_of(model, "net.onnx").entry == "image"


def test_what_is_no_onnx_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"\x00\xffno protobuf")
    with pytest.raises(ArtifactError, match=r"net\.onnx: its layers cannot be read \(.+\)") as raised:
        open_onnx(tmp_path / "net.onnx")
    assert "\n" not in str(raised.value)


def test_a_scale_that_is_not_there_is_an_error() -> None:
    nodes = [node("QuantizeLinear", ["image", "missing", "z"], ["scores"])]
    model = model_of(nodes, {"z": np.uint8(0)}, [1, 2], [1, 2])
    with pytest.raises(ArtifactError, match="its layers cannot be read"):
        steps_of(model, "net.onnx")


def test_external_constants_are_those_of_the_folder(tmp_path: Path) -> None:
    model = model_of([node("Mul", ["image", "c"], ["scores"])], {}, [1, 300], [1, 300])
    model.graph.initializer.append(numpy_helper.from_array(np.full(300, 3, np.float32), "c"))
    onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    (step,) = open_onnx(tmp_path / "net.onnx").steps
    assert step.constant is not None
    assert (step.constant.values == 3).all()
