"""What is inside of a function of one tensor, in forms that files have."""

from __future__ import annotations

import pytest

from resnet_edge.diagnosis.layers.activation_functions import inside_functions
from resnet_edge.diagnosis.layers.steps import LayerStep, OpenedSteps


def opened(*steps: str) -> OpenedSteps:
    """Steps as `gives = op reads`; the last one gives the output."""
    all_steps = []
    for step in steps:
        gives, op, *reads = step.replace(" =", "").split()
        all_steps.append(LayerStep(op=op, kind="other", reads=tuple(reads), gives=(gives,)))
    return OpenedSteps(steps=tuple(all_steps), grids={}, entry="image", exit=all_steps[-1].gives[0])


SELU = (
    "up = greater x",
    "line = mul x",
    "e = exp x",
    "e1 = sub e",
    "curve = mul e1",
    "y = select up line curve",
)


@pytest.mark.parametrize(
    ("steps", "inside"),
    [
        (SELU, {"up", "line", "e", "e1", "curve"}),
        (("a = abs x", "n = neg a", "e = exp n", "s = log e", "r = relu x", "y = add r s"), set("anesr")),
        # as ONNX Runtime's quantizer has it: what the function is of, in another type, is no part of it
        (("q = quantizelinear x", "d = dequantizelinear q", "t = tanh d", "y = mul d t"), {"t"}),
        # a batch normalization that was left apart is before the function
        (("m = mul x", "n = add m", "s = sigmoid n", "y = mul n s"), {"s"}),
        # nothing inside is curved
        (("m = mul x", "n = add m", "y = relu n"), set()),
        # two tensors are added: no function of one
        (("r = relu x", "z = conv_2d x", "s = add r z", "y = relu s"), set()),
        # of constants alone, which no tensor makes
        (("k = cast", "t = tanh x", "y = mul x t"), {"t"}),
        # a factor behind it may be in the weights of the other file
        (("s = sqrt x", "r = reciprocal s", "y = mul r"), {"s"}),
        (("s = sqrt x", "t = tanh s", "q = quantizelinear t", "d = dequantizelinear q", "y = mul d"), {"s"}),
        # what is inside is read outside as well
        (("t = tanh x", "y0 = mul x t", "z = conv_2d t", "y = add y0 z"), set()),
    ],
)
def test_what_only_the_rest_of_a_function_reads_is_inside(steps: tuple[str, ...], inside: set[str]) -> None:
    assert inside_functions(opened("x = conv_2d image", *steps, "out = conv_2d y")) == inside


def test_the_output_is_inside_of_nothing() -> None:
    assert inside_functions(opened("x = conv_2d image", "t = tanh x", "y = mul x t")) == {"t"}
