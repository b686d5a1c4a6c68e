"""What is said of a layer that departs: a convolution that is changed in one way, computed with numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.causes import Evidence, cause, listed, target
from resnet_edge.diagnosis.layers.departures import DepartureSums, departure
from resnet_edge.diagnosis.layers.rounding import Rounding
from resnet_edge.diagnosis.layers.steps import LayerStep, Real
from tests.diagnosis.layers.layer_links import layer
from tests.diagnosis.layers.plain_steps import step

RANDOM = np.random.default_rng(5)
KERNEL = RANDOM.normal(0, 0.3, (8, 3, 3, 6))
BIAS = RANDOM.uniform(0.2, 0.4, 8) * np.array([1, -1] * 4)
IMAGES = RANDOM.uniform(-1, 1, (2, 9, 9, 6))
CENTRED = (1, 1, 1, 1)


def convolved(
    kernel: Real, bias: Real | None = BIAS, pads: tuple[int, int, int, int] = CENTRED
) -> NDArray[np.float32]:
    top, left, bottom, right = pads
    padded = np.pad(IMAGES, ((0, 0), (top, bottom), (left, right), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1:3], axis=(1, 2))
    given = np.einsum("nhwcij,oijc->nhwo", windows, kernel)
    return np.asarray(given if bias is None else given + bias, np.float32)


def evidence(
    expected: NDArray[np.float32], seen: NDArray[np.float32], theirs: LayerStep, ours: LayerStep, **more: Any
) -> Evidence:
    """With sums and a departure as they come of these values, where nothing is rounded."""
    sums = DepartureSums(expected.shape[-1])
    sums.add(expected, seen, None)
    tiny = Rounding(random=np.full(expected.shape[-1], 1e-12), hard=np.zeros(expected.shape[-1]))
    departing = departure(sums, DepartureSums(expected.shape[-1]), tiny)
    assert departing is not None
    return Evidence(
        theirs=theirs, ours=ours, departure=departing, sums=sums, expected=expected, seen=seen, **more
    )


def of_weights(kernel: Real, bias: Real | None = BIAS) -> tuple[str, str]:
    """Said of a layer that has these in place of KERNEL and BIAS."""
    theirs, ours = layer("theirs", KERNEL, 0.0, BIAS, "x"), layer("ours", kernel, 0.0, bias, "x")
    return cause(evidence(convolved(KERNEL), convolved(kernel, bias), theirs, ours))


def of_values(expected: Any, seen: Any, **more: Any) -> tuple[str, str]:
    """Said of what has no weights."""
    values = np.asarray(expected, np.float32), np.asarray(seen, np.float32)
    return cause(evidence(*values, step("theirs = add x"), step("ours = add x"), **more))


def only(channel: int, other: Real) -> Real:
    """KERNEL but for one output's."""
    kernel = KERNEL.copy()
    kernel[channel] = other[channel]
    return kernel


OTHER = RANDOM.normal(0, 0.3, KERNEL.shape)
ROTATED = KERNEL[[1, 2, 0, 3, 4, 5, 6, 7]]
SWAPPED = KERNEL[..., [2, 1, 0, 3, 4, 5]]


@pytest.mark.parametrize(
    ("kernel", "word", "text"),
    [
        (ROTATED, "output_channels", "its output channels 0, 1, 2 are in another order"),
        (SWAPPED, "input_channels", "its input channels 0, 2 are in another order"),
        (KERNEL.swapaxes(1, 2), "turned", "its kernel is transposed (height and width exchanged)"),
        (KERNEL[:, ::-1], "turned", "its kernel is flipped upside down"),
        (KERNEL[:, :, ::-1], "turned", "its kernel is flipped left to right"),
        (KERNEL[:, ::-1, ::-1], "turned", "its kernel is turned by 180 degrees"),
        (only(3, 0 * KERNEL), "stuck", "its output channels 3 have no weights"),
        (OTHER, "other_weights", "was it made from this model?"),
        (np.rint(KERNEL * 4) / 4, "few_levels", "levels in each channel: they were cut to too few bits"),
        (KERNEL + OTHER / 2, "changed", "its weights are not the reference's (their cosine is 0.8"),
        (KERNEL * 1.3, "rescaled", "its weights are 1.3 times those of the reference"),
        (only(4, KERNEL * 2), "rescaled", "the weights of its output channels 4 are rescaled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_that_are_others(kernel: Real, word: str, text: str) -> None:
    said = of_weights(np.ascontiguousarray(kernel))
    assert said[0] == word
    assert text in said[1]


def test_weights_that_are_no_numbers_are_counted() -> None:
    kernel = KERNEL.copy()
    kernel[2, 0, :2, 0] = np.nan, np.inf
    assert of_weights(kernel) == ("nan", "2 of its weights are NaN or infinite")


def test_values_that_are_no_numbers_with_weights_that_are() -> None:
    seen = convolved(KERNEL)
    seen[0, 0, 0, 0] = np.nan
    theirs = layer("theirs", KERNEL, 0.0, BIAS, "x")
    assert cause(evidence(convolved(KERNEL), seen, theirs, theirs)) == ("nan", "it gives NaN or infinity")


@pytest.mark.parametrize(
    ("bias", "said"),
    [
        (None, ("bias_dropped", "its bias is missing")),
        (0 * BIAS, ("bias_dropped", "its bias is missing")),
        (BIAS * (np.arange(8) != 5), ("bias_dropped", "the biases of its output channels 5 are missing")),
        (BIAS + 0.5, ("bias_shifted", "all its channels are shifted by 0.5")),
        (BIAS + 0.5 * (np.arange(8) == 6), ("bias_changed", "its channels 6 are shifted, by up to 0.5")),
    ],
)
def test_biases_that_are_others(bias: Real | None, said: tuple[str, str]) -> None:
    assert of_weights(KERNEL, bias) == said


def test_the_image_is_padded_on_the_other_side() -> None:
    """Each pixel is another, so that it is not a matter of the border."""
    theirs = layer("theirs", KERNEL, 0.0, BIAS, "x")
    word, text = cause(evidence(convolved(KERNEL), convolved(KERNEL, pads=(2, 2, 0, 0)), theirs, theirs))
    assert (word, "moves over its image in another way" in text) == ("padding", True)


def test_the_image_is_padded_with_another_number() -> None:
    seen = convolved(KERNEL)
    seen[:, [0, -1]] += RANDOM.normal(0, 0.5, seen[:, [0, -1]].shape).astype(np.float32)
    word, text = of_values(convolved(KERNEL), seen)
    assert (word, "at the border of the image and not inside" in text) == ("padding", True)


@pytest.mark.parametrize(
    ("window", "word"),
    [("stride 1 x 1, dilation 2 x 2", "dilation"), ("stride 2 x 2, dilation 1 x 1", "stride")],
)
def test_a_kernel_that_moves_otherwise_is_told_before_what_follows(window: str, word: str) -> None:
    theirs = replace(layer("theirs", KERNEL, 0.0, BIAS, "x"), window="stride 1 x 1, dilation 1 x 1")
    ours = replace(theirs, window=window)
    said = cause(evidence(convolved(KERNEL), convolved(OTHER), theirs, ours))
    assert said == (word, f"it has {window}, and the reference stride 1 x 1, dilation 1 x 1")


VALUES = RANDOM.normal(0, 2, (2, 9, 9, 8))


@pytest.mark.parametrize(
    ("expected", "seen", "word", "text"),
    [
        (VALUES, np.maximum(VALUES, 0), "activation_added", "it has a ReLU"),
        (np.maximum(VALUES, 0), VALUES, "activation_missing", "its ReLU is missing"),
        (np.clip(VALUES, 0, 2), np.maximum(VALUES, 0), "activation_missing", "numbers above 2, where"),
        (np.maximum(VALUES, 0), np.clip(VALUES, 0, 2), "activation_early", "nothing above 2, where"),
    ],
)
def test_activations_that_are_others(expected: Real, seen: Real, word: str, text: str) -> None:
    said = of_values(expected, seen)
    assert said[0] == word
    assert text in said[1]


def test_channels_in_another_order_where_no_weights_tell() -> None:
    seen = VALUES[..., [0, 1, 2, 3, 4, 5, 7, 6]]
    assert of_values(VALUES, seen) == ("output_channels", "its channels 6, 7 are in another order")


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (np.full(8, 1.2), "rescaled: its values are 1.2 times what the reference's layer gives on its input"),
        (np.where(np.arange(8) == 2, 1.5, 1.0), "rescaled: what its output channels 2 give is rescaled"),
        (
            np.geomspace(0.8, 1.2, 8),
            "channel_scales: its channels are scaled by factors of their own (0.8 to 1.2)",
        ),
    ],
)
def test_sizes_that_are_others_where_no_weights_tell(factors: Real, said: str) -> None:
    assert ": ".join(of_values(VALUES, VALUES * factors)) == said


def test_what_nothing_explains_is_measured() -> None:
    word, text = of_values(VALUES, RANDOM.normal(0, 2, VALUES.shape))
    assert word == "unlike"
    assert text.startswith("its values correlate by ")


def softmax(scores: Real) -> Real:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_a_softmax_of_a_softmax() -> None:
    once = softmax(RANDOM.normal(0, 3, (12, 5)))
    assert of_values(once, softmax(once))[0] == "softmax_twice"
    assert of_values(once, once[:, ::-1])[0] != "softmax_twice"


@pytest.mark.parametrize(
    ("theirs", "ours", "word", "text"),
    [
        ({"mean"}, {"globalmaxpool"}, "pooling", "it takes the largest value where"),
        ({"reduce_max"}, {"reducemean"}, "pooling", "it takes the mean where"),
        (set(), {"dropout"}, "dropout", "a dropout is left on"),
        ({"add"}, {"add", "floor"}, "operation", "an operation (floor) that the reference has not"),
    ],
)
def test_operations_tell_before_values_do(theirs: set[str], ours: set[str], word: str, text: str) -> None:
    both = frozenset(theirs), frozenset(ours)
    said = of_values(VALUES, np.maximum(VALUES, 0), operations=both)
    assert said[0] == word
    assert text in said[1]


def test_an_operation_that_both_have_is_not_at_fault() -> None:
    both = frozenset({"floor", "mean"})
    assert of_values(VALUES, 1.5 * VALUES, operations=(both, both))[0] == "rescaled"


def test_an_oddity_of_a_constant_and_a_foreign_operation_are_told() -> None:
    assert of_values(VALUES, 1.5 * VALUES, oddity="two scales") == ("two_scales", "two scales")
    word, text = of_values(VALUES, 1.5 * VALUES, foreign=("reverse_v2",))
    assert (word, text) == ("operation", "it is an operation (reverse_v2) that the reference has not")


SECTION = [step("a = floor x"), step("b = relu6 a"), step("c = mean b"), step("d = clip c")]


@pytest.mark.parametrize(
    ("word", "theirs", "gives"),
    [
        ("operation", frozenset(), "a"),
        ("operation", frozenset({"floor"}), None),
        ("pooling", frozenset(), "c"),
        ("activation_early", frozenset(), "d"),  # the last: what is before it is limited by it
        ("dropout", frozenset(), None),
        ("rescaled", frozenset(), None),
    ],
)
def test_which_operation_is_at_fault(word: str, theirs: frozenset[str], gives: str | None) -> None:
    accused = target(word, SECTION, theirs)
    assert (accused.gives[0] if accused is not None else None) == gives


def test_a_long_list_is_cut() -> None:
    assert listed(range(6)) == "0, 1, 2, 3, 4, 5"
    assert listed(np.arange(9)) == "0, 1, 2, 3, 4, 5 and 3 more"
