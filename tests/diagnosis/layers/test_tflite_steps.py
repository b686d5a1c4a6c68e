"""What is read of TFLite graphs, written down as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.diagnosis.layers.steps import LayerStep, OpenedSteps
from resnet_edge.diagnosis.layers.tflite_steps import (
    constant_of,
    grid_of,
    open_tflite,
    steps_of,
    tensor_names,
)
from resnet_edge.graph.model import ABSENT, Graph, Node, Tensor

RANDOM = np.random.default_rng(8)
Q = Quantization


def tensor(
    name: str,
    shape: tuple[int | None, ...] = (1, 4, 4, 3),
    dtype: str = "float32",
    data: NDArray[Any] | None = None,
    quantization: Quantization | None = None,
) -> Tensor:
    return Tensor(name=name, shape=shape, dtype=dtype, data=data, quantization=quantization)


def const(name: str, data: NDArray[Any], quantization: Quantization | None = None) -> Tensor:
    return tensor(name, data.shape, str(data.dtype), data, quantization)


def read(
    op: str, *given: Tensor | None, out: Tensor | None = None, image: Tensor | None = None, **options: Any
) -> OpenedSteps:
    """One operation on `image` and what is given (None: an input that is absent)."""
    tensors = [image or tensor("image"), *(one for one in given if one is not None), out or tensor("y")]
    places, number = [0], 1
    for one in given:
        places.append(ABSENT if one is None else number)
        number += one is not None
    node = Node(op, tuple(places), (len(tensors) - 1,), options)
    return steps_of(Graph(tuple(tensors), (node,), (0,), (len(tensors) - 1,)), "net.tflite")


def only(opened: OpenedSteps) -> LayerStep:
    (step,) = opened.steps
    return step


def floats(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


def test_a_convolution_is_as_it_is_stored() -> None:
    kernel, bias = floats(5, 3, 3, 3), floats(5)
    step = only(read("CONV_2D", const("w", kernel), const("b", bias), strideH=2, strideW=1))
    assert (step.kind, step.window) == ("weighted", "stride 2 x 1, dilation 1 x 1")
    assert step.weights is not None
    np.testing.assert_array_equal(step.weights.kernel, kernel)
    assert step.weights.bias is not None
    assert step.weights.groups == 1


def test_a_depthwise_convolution_has_a_group_for_each_channel() -> None:
    kernel = floats(1, 3, 3, 6)  # two outputs of each of three channels
    step = only(read("DEPTHWISE_CONV_2D", const("w", kernel), None))
    assert step.weights is not None
    np.testing.assert_array_equal(step.weights.kernel, kernel.transpose(3, 1, 2, 0))
    assert step.weights.groups == 3
    assert step.weights.bias is None


def test_a_grouped_convolution() -> None:
    step = only(read("CONV_2D", const("w", floats(4, 1, 1, 2)), image=tensor("image", (1, 4, 4, 8))))
    assert step.weights is not None
    assert step.weights.groups == 4


def test_a_matrix_is_a_kernel_of_one_place() -> None:
    matrix = floats(4, 6)
    step = only(read("FULLY_CONNECTED", const("w", matrix), image=tensor("image", (1, 6))))
    assert step.weights is not None
    assert step.weights.kernel.shape == (4, 1, 1, 6)
    assert (step.window, step.weights.groups) == ("", 1)


def test_a_transposed_convolution_reads_its_third_input() -> None:
    shape = const("shape", np.array([1, 8, 8, 2], np.int32))
    tensors = (shape, const("w", floats(2, 3, 3, 3)), tensor("image"), const("b", floats(2)), tensor("y"))
    graph = Graph(tensors, (Node("TRANSPOSE_CONV", (0, 1, 2, 3), (4,), {}),), (2,), (4,))
    step = only(steps_of(graph, "net.tflite"))
    assert step.reads == ("image",)
    assert step.weights is not None
    assert step.weights.bias is not None
    assert step.weights.kernel.shape == (2, 3, 3, 3)


def test_integer_weights_on_a_float_image_are_real_numbers() -> None:
    kernel = const("w", np.full((2, 1, 1, 3), 64, np.int8), Q((0.5, 0.25), (0, 0), 0))
    step = only(read("CONV_2D", kernel))
    assert step.weights is not None
    assert step.weights.kernel[:, 0, 0, 0].tolist() == [32, 16]
    np.testing.assert_allclose(step.weights.variance[:, 0, 0, 0], [0.25 / 12, 0.0625 / 12])


@pytest.mark.parametrize(("apart", "odd"), [(1.0, False), (1.0005, False), (1.02, True)])
def test_a_bias_in_other_steps_than_its_layer_is_odd(apart: float, odd: bool) -> None:
    image = tensor("image", dtype="int8", quantization=Q((0.1,), (0,)))
    kernel = const("w", np.ones((2, 1, 1, 3), np.int8), Q((0.5, 0.25), (0, 0), 0))
    bias = const("b", np.ones(2, np.int32), Q((0.05 * apart, 0.025 * apart), (0, 0), 0))
    opened = read("CONV_2D", kernel, bias, image=image)
    said = [("y", "its bias has a scale that is 2 % off that of its input and weights")]
    assert [*opened.oddities] == (said if odd else [])


@pytest.mark.parametrize(
    ("op", "options", "kind", "gain", "exact"),
    [
        ("RELU", {}, "elementwise", 1.0, True),
        ("TANH", {}, "elementwise", 1.0, False),
        ("HARD_SWISH", {}, "elementwise", 1.5, False),
        ("LEAKY_RELU", {"alpha": 2.5}, "elementwise", 2.5, False),
        ("LEAKY_RELU", {"alpha": 0.1}, "elementwise", 1.0, False),
        ("MAX_POOL_2D", {"strideH": 2, "strideW": 2}, "move", 1.0, True),
        ("FLOOR", {}, "other", 1.0, False),
    ],
)
def test_what_operations_do_to_errors(
    op: str, options: dict[str, Any], kind: str, gain: float, exact: bool
) -> None:
    step = only(read(op, **options))
    assert (step.kind, step.gain, step.exact) == (kind, gain, exact)
    assert step.window == ("stride 2 x 2, dilation 1 x 1" if "POOL" in op else "")


def test_constants_of_pairs() -> None:
    factor = const("c", np.array([2, -3], np.float32))
    for op, kind, gain in (("MUL", "product", 1.0), ("ADD", "sum", 1.0), ("PRELU", "elementwise", 3.0)):
        step = only(read(op, factor))
        assert (step.kind, step.gain, step.reads) == (kind, gain, ("image",))
        assert step.constant is not None


def test_a_rounded_constant_of_an_unknown_operation_is_kept() -> None:
    rounded = const("c", np.array([3], np.int8), Q((0.1,), (0,)))
    assert only(read("SQUARED_DIFFERENCE", rounded)).constant is not None
    assert only(read("SQUARED_DIFFERENCE", const("c", floats(1)))).constant is None


def test_the_axes_of_a_transposition() -> None:
    axes = const("axes", np.array([0, 3, 1, 2], np.int32))
    assert only(read("TRANSPOSE", axes)).axes == (0, 3, 1, 2)


def test_a_constant_in_half_behind_a_dequantize_is_one() -> None:
    halves = const("h", floats(2, 1, 1, 3).astype(np.float16))
    tensors = (tensor("image"), halves, tensor("w", (2, 1, 1, 3)), tensor("y"))
    nodes = Node("DEQUANTIZE", (1,), (2,), {}), Node("CONV_2D", (0, 2), (3,), {})
    step = only(steps_of(Graph(tensors, nodes, (0,), (3,)), "net.tflite"))
    assert step.weights is not None
    assert (step.weights.variance > 0).all()


def test_grids_are_those_of_activations() -> None:
    image = tensor("image", dtype="int8", quantization=Q((0.5,), (-28,)))
    opened = read("RELU", image=image)
    assert opened.grids.keys() == {"image"}
    grid = opened.grids["image"]
    assert (grid.low, grid.high, grid.step) == (-50.0, 77.5, 0.5)


def test_float_has_no_grid_and_sixteen_bits_have_a_wide_one() -> None:
    assert grid_of(tensor("x")) is None
    assert grid_of(tensor("x", dtype="float32", quantization=Q((0.5,), (0,)))) is None
    grid = grid_of(tensor("x", dtype="int16", quantization=Q((1.0,), (0,))))
    assert grid is not None
    assert (grid.low, grid.high) == (-32768, 32767)


def test_a_constant_without_a_scale_is_as_it_is_stored() -> None:
    held = constant_of(const("c", np.array([1, 2], np.int32)))
    assert held.values.tolist() == [1, 2]
    assert not held.variance.any()


def test_names_that_are_there_twice_are_told_apart() -> None:
    graph = Graph((tensor("x"), tensor("y"), tensor("x")), (), (0,), (1,))
    assert tensor_names(graph) == ["x#0", "y", "x#2"]


def test_a_graph_of_two_outputs_is_refused() -> None:
    graph = Graph((tensor("x"), tensor("y")), (), (0,), (0, 1))
    with pytest.raises(ArtifactError, match="net.tflite has 1 inputs and 2 outputs"):
        steps_of(graph, "net.tflite")


def test_what_is_no_tflite_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(b"nothing of the kind")
    with pytest.raises(ArtifactError, match="is not a TFLite file"):
        open_tflite(tmp_path / "net.tflite")
