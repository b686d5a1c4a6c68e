"""What XNNPACK ran beside the operators of the file, where it left out, added and put off some."""

from __future__ import annotations

from resnet_edge.backends._litert.fold import folded
from resnet_edge.graph.model import Graph, Node, Tensor

CONV, MATRIX = "Convolution (NHWC, QC8) IGEMM", "Fully Connected (NC, QS8, QC8W) GEMM"


def graph(*ops: str) -> Graph:
    """A chain of operators, each called like its place; `CONV_2D/1` has a kernel of 1 x 1."""
    tensors, nodes = (
        [Tensor(name="image", shape=(1, 4, 4, 2), dtype="int8", data=None, quantization=None)],
        [],
    )
    for place, word in enumerate(ops):
        op, _, size = word.partition("/")
        side = int(size or 3)
        kernel = len(tensors)
        tensors.append(
            Tensor(
                name=f"kernel{place}", shape=(2, side, side, 2), dtype="int8", data=None, quantization=None
            )
        )
        tensors.append(
            Tensor(name=f"{place}", shape=(1, 4, 4, 2), dtype="int8", data=None, quantization=None)
        )
        nodes.append(Node(op, (0, kernel), (kernel + 1,), {}))
    return Graph(tuple(tensors), tuple(nodes), (0,), (len(tensors) - 1,))


def layers(ops: tuple[str, ...], kinds: list[str]) -> list[str]:
    return [one.layer for one in folded(graph(*ops), kinds, [1.0] * len(kinds))]


def test_what_is_the_same_is_paired_in_order() -> None:
    assert layers(("CONV_2D", "CONV_2D/1", "ADD"), [CONV, MATRIX, "Add (ND)"]) == ["0", "1", "2"]


def test_what_xnnpack_adds_has_no_layer_and_what_it_fuses_is_left_out() -> None:
    ops = ("QUANTIZE", "MUL", "ADD", "PAD", "CONV_2D", "ADD", "MUL", "CONV_2D/1")
    kinds = ["Convert (NC)", "Invalid Unary Op", CONV, "Add (ND)", "Multiply (ND)", "Clamp (NC)", MATRIX]
    assert layers(ops, kinds) == ["0", "", "4", "5", "6", "", "7"]


def test_an_operator_that_litert_runs_later_does_not_move_the_others() -> None:
    """As in ResNet-50 v2: a pooling by 1 x 1 that XNNPACK does not take, and two convolutions before it."""
    ops = ("ADD", "MAX_POOL_2D", "MUL", "CONV_2D/1", "CONV_2D", "ADD", "CONV_2D/1")
    kinds = ["Add (ND)", "Multiply (ND)", MATRIX, CONV, "MAX_POOL_2D", "Add (ND)", MATRIX]
    assert layers(ops, kinds) == ["0", "2", "3", "4", "1", "5", "6"]


def test_a_kernel_of_3_x_3_is_no_matrix() -> None:
    times = folded(graph("CONV_2D", "CONV_2D/1"), [MATRIX], [5.0])
    assert [(one.layer, one.macs) for one in times] == [("1", 4 * 4 * 2 * 2)]
