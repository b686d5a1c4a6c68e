"""Steps of any file: what follows from their order, and constants with what storing them rounds."""

from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.diagnosis.layers.steps import (
    StepGrid,
    affine,
    leading_to,
    named_kernel,
    rounded_of,
    stored,
    without_sizes,
)
from tests.diagnosis.layers.plain_steps import constant, opened, step, weights

GRID = StepGrid(low=-1.0, high=1.0, step=0.01)


@pytest.mark.parametrize(
    ("ends", "probabilities"),
    [
        (("y = softmax x",), True),
        (("s = logistic x", "q = quantize s", "d = dequantize q", "y = reshape d"), True),
        (("y = relu x",), False),
        (("s = softmax x", "y = conv_2d s"), False),
        (("y = reshape image",), False),
    ],
)
def test_which_files_end_in_probabilities(ends: tuple[str, ...], probabilities: bool) -> None:
    """Behind them may be what brings numbers into another type or shape, and nothing else."""
    assert opened("x = conv_2d image", *ends).gives_probabilities() is probabilities


def test_real_numbers_behind_a_grid_are_on_it() -> None:
    steps = "q = quantize image", "d = dequantize q", "r = reshape d", "y = relu r", "z = reshape y"
    file = opened(*steps, grids={"q": GRID})
    assert file.held_grids().keys() == {"q", "d", "r"}
    assert file.held_grids()["r"] == GRID


def test_a_reshape_of_integers_keeps_the_grid_that_it_has() -> None:
    other = StepGrid(low=0.0, high=2.0, step=0.02)
    file = opened("q = quantize image", "r = reshape q", grids={"q": GRID, "r": other})
    assert file.held_grids() == {"q": GRID, "r": other}


def test_who_reads_a_tensor_twice_is_one_reader() -> None:
    file = opened("x = relu image", "y = mul x x", "z = add x y")
    assert [each.gives for each in file.readers()["x"]] == [("y",), ("z",)]
    assert file.makers()["y"].op == "mul"


def test_what_follows_from_sizes_alone_is_left_out() -> None:
    """The size of an open batch, with which a reshape and a transposed convolution are told their shape."""
    steps = without_sizes(
        step(words)
        for words in (
            "s = shape image",
            "n = gather s",
            "p = concat n s",
            "r = reshape image p",
            "y = relu r",
        )
    )
    assert [(each.gives[0], each.reads) for each in steps] == [("r", ("image",)), ("y", ("r",))]


def test_what_nothing_reads_is_left_out() -> None:
    steps = [step(words) for words in ("a = relu image", "b = conv_2d a", "c = relu b", "y = conv_2d a")]
    assert [each.gives[0] for each in leading_to("y", steps)] == ["a", "y"]


@pytest.mark.parametrize("value", [1.0, 0.1, 300.0, 1e-6])
def test_storing_as_float16_rounds_no_more_than_it_says(value: float) -> None:
    """A uniform error of variance v is at most sqrt(3 v)."""
    real = np.linspace(value, 2 * value, 1001)
    held = stored(real.astype(np.float16))
    error = np.abs(held.values - real)
    assert 0 < error.max() <= np.sqrt(3 * held.variance.max()) * (1 + 1e-9)
    assert (error <= np.sqrt(3 * held.variance) * 1.01).all()


def test_float32_is_taken_for_exact() -> None:
    held = stored(np.array([1.5, -2.0], np.float32))
    assert held.values.tolist() == [1.5, -2.0]
    assert not held.variance.any()


def test_integers_with_a_scale_for_each_row() -> None:
    integers = np.array([[1, 2], [3, 4]], np.int8)
    held = affine(integers, np.array([0.5, 0.25]), np.array([1, 0]), (-1, 1))
    assert held.values.tolist() == [[0.0, 0.5], [0.75, 1.0]]
    np.testing.assert_allclose(np.broadcast_to(held.variance, (2, 2))[:, 0], [0.25 / 12, 0.0625 / 12])
    assert held.steps == (0.25, 0.5)


def test_integers_with_one_scale_and_a_zero_point() -> None:
    held = affine(np.array([10, 12], np.uint8), np.array(0.5), np.array(10), ())
    assert held.values.tolist() == [0.0, 1.0]


def test_the_first_constant_that_is_rounded() -> None:
    exact, rounded = constant(1.0), stored(np.array([0.1], np.float16))
    assert rounded_of([exact, rounded]) is rounded
    assert rounded_of([exact]) is None


def test_taps_read_the_channels_of_their_group() -> None:
    """Four outputs in two groups, on four channels."""
    grouped = weights((4, 1, 1, 2), groups=2)
    read = named_kernel(grouped, np.array([1.0, 2.0, 3.0, 4.0]))
    assert read[:, 0, 0].tolist() == [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [3.0, 4.0]]


def test_taps_that_read_unknown_channels_read_the_loudest() -> None:
    whole = weights((2, 3, 3, 4))
    assert (named_kernel(whole, np.array([7.0])) == 7).all()
    assert (named_kernel(whole, np.array([1.0, 5.0, 2.0])) == 5).all()
    assert named_kernel(whole, np.ones(4)).shape == whole.kernel.shape
