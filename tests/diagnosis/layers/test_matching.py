"""Which tensor is which, by what they hold and by their order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.matching import (
    Match,
    Order,
    Sketches,
    affine_behind,
    candidates,
    key_of,
    layers_behind,
    matched,
)
from resnet_edge.diagnosis.layers.steps import OpenedSteps
from tests.diagnosis.layers.layer_links import layer
from tests.diagnosis.layers.plain_steps import constant, opened, step

RANDOM = np.random.default_rng(11)
SHAPE = (1, 6, 5, 4)
LAST, FIRST = ("x", "last"), ("y", "first")


def values() -> NDArray[np.float32]:
    return RANDOM.normal(0, 1, SHAPE).astype(np.float32)


def sketched(**tensors: NDArray[np.float32]) -> Sketches:
    sketches = Sketches()
    for name, value in tensors.items():
        sketches.add(name, value)
    return sketches


def test_what_is_the_same_in_another_layout_has_no_distance() -> None:
    x = values()
    sketches = sketched(x=x, y=x.transpose(0, 3, 1, 2))
    assert sketches.distance(("x", "last"), ("y", "first")) == 0
    match = Match(tensor=0, shape=SHAPE, name="y", layout="first")
    np.testing.assert_array_equal(match.canonical(x.transpose(0, 3, 1, 2)), x)


def test_small_errors_are_compared_and_large_ones_by_their_direction() -> None:
    x = values()
    sketches = sketched(x=x, near=1.1 * x, scaled=10 * x, other=values())
    ends = [sketches.distance(("x", "last"), (name, "last")) for name in ("near", "scaled", "other")]
    assert ends == [pytest.approx(0.01, rel=1e-3), pytest.approx(0.5), pytest.approx(1.5, abs=0.3)]


def test_channels_may_be_scaled_one_by_one() -> None:
    x = values()
    sketches = sketched(x=x, scaled=x * np.array([3, 30, 0.1, 10], np.float32))
    assert sketches.distance(("x", "last"), ("scaled", "last")) == pytest.approx(0.5, abs=1e-6)


def test_tensors_of_positive_numbers_do_not_correlate_by_their_mean() -> None:
    one, other = 5 + values(), 5 + values()
    sketches = sketched(x=one, y=other, shifted=2 * one + 3)
    assert sketches.distance(("x", "last"), ("y", "last")) < 0.5
    assert abs(sketches.correlation(("x", "last"), ("y", "last"))) < 0.5
    assert sketches.correlation(("x", "last"), ("shifted", "last")) == pytest.approx(1)


def test_nothing_is_near_to_zeros() -> None:
    sketches = sketched(x=np.zeros(SHAPE, np.float32), y=values())
    assert np.isinf(sketches.distance(("x", "last"), ("y", "last")))


def test_images_are_put_together() -> None:
    """Alike on the first, and not on the second."""
    x = values()
    sketches = sketched(x=x, y=x)
    assert sketches.distance(("x", "last"), ("y", "last")) == 0
    sketches.add("x", x)
    sketches.add("y", -x)
    assert sketches.distance(("x", "last"), ("y", "last")) > 0.5


def test_sizes_of_one_do_not_count() -> None:
    assert key_of((1, 1, 8, 1, 3)) == key_of((8, 3)) == (8, 3)


def test_candidates_are_the_last_of_what_holds_the_same() -> None:
    file = opened(
        "x = conv_2d image",
        "q = quantize x",
        "d = dequantize q",
        "t = greater d",
        "f = cast t",
        "y = conv_2d d",
        "again = cast y",
        "z = add y again",
        "out = conv_2d z",
    )
    # `d` has two readers; what is true or false is none; `again` is `y` once more
    assert candidates(file) == ["d", "y", "z", "out"]


def test_the_inside_of_a_function_is_no_candidate() -> None:
    assert candidates(opened("x = conv_2d image", "t = tanh x", "y = mul x t", "z = conv_2d y")) == [
        "x",
        "y",
        "z",
    ]


def test_what_comes_from_what() -> None:
    order = Order(
        opened("x = conv_2d image", "r = reshape x", "a = relu r", "b = conv_2d image", "y = add a b")
    )
    assert order.before("image", "y")
    assert order.before("x", "a")
    assert order.before("r", "x")  # only moved: it is where it came from
    assert order.before("x", "x")
    assert not order.before("b", "a")
    assert not order.before("y", "x")
    assert not order.before("x", "elsewhere")


def test_what_only_a_sum_or_product_with_a_constant_reads() -> None:
    file = opened(
        "x = conv_2d image",
        step("y = mul x", kind="product", constant=constant(2.0)),
        step("z = add y", kind="sum", constant=constant(1.0)),
        step("p = add z y", kind="sum"),
    )
    assert affine_behind(file) == {"x"}


def test_the_layer_that_a_tensor_comes_from() -> None:
    kernel = np.ones((4, 3, 3, 2))
    file = opened(
        layer("x", kernel, 0.0, None, "image"),
        step("y = mul x", kind="product", constant=constant(2.0)),
        step("m = reshape y", kind="move"),
        step("r = relu m", kind="elementwise"),
        step("t = tanh r", kind="elementwise"),
        step("s = add m r", kind="sum"),
    )
    assert layers_behind(file) == dict.fromkeys("xymr", kernel.shape)


@dataclass
class OneSide:
    """As `matched` asks for it."""

    opened: OpenedSteps
    order: Order = field(init=False)
    affine: frozenset[str] = field(init=False)
    layers: dict[str, tuple[int, ...]] = field(init=False)
    names: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.order, self.affine = Order(self.opened), affine_behind(self.opened)
        self.layers = layers_behind(self.opened)
        self.names = dict(enumerate(step.gives[0] for step in self.opened.steps))


def pairs(
    theirs: tuple[OpenedSteps, dict[str, NDArray[np.float32]]],
    ours: tuple[OpenedSteps, dict[str, NDArray[np.float32]]],
    known: tuple[Match, ...] = (),
    ends: tuple[int, str] | None = None,
) -> dict[str, str]:
    sides = OneSide(theirs[0]), OneSide(ours[0])
    sketches = sketched(**{f"their_{n}": v for n, v in theirs[1].items()}, **ours[1])
    reference = {i: (f"their_{n}", theirs[1][n].shape) for i, n in sides[0].names.items()}
    matches = matched(sketches, reference, [*ours[1]], known, sides, ends)
    return {sides[0].names[match.tensor]: match.name for match in matches}


CHAIN = "a = conv_2d image", "b = conv_2d a", "c = conv_2d b"


def test_the_nearest_are_paired_and_each_once() -> None:
    a, b, c = values(), values(), values()
    ours = opened("x = conv_2d image", "y = conv_2d x", "z = conv_2d y", "w = conv_2d z")
    theirs = opened(*CHAIN), {"a": a, "b": b, "c": c}
    paired = pairs(theirs, (ours, {"x": a + 0.1, "y": b, "z": a, "w": c}))
    assert paired == {"a": "z", "b": "y", "c": "w"}


def test_tensors_that_hold_the_same_are_paired_in_their_order() -> None:
    a, c = values(), values()
    ours = opened("x = conv_2d image", "y = conv_2d x", "z = conv_2d y")
    assert pairs((opened(*CHAIN), {"a": a, "b": a, "c": c}), (ours, {"x": a, "y": a, "z": c})) == {
        "a": "x",
        "b": "y",
        "c": "z",
    }


def test_a_pair_may_not_contradict_one_that_is_known() -> None:
    a, b, c = values(), values(), values()
    ours = opened("x = conv_2d image", "y = conv_2d x", "z = conv_2d y")
    known = (Match(tensor=1, shape=SHAPE, name="x", layout="last"),)
    # `c` comes behind `b`, and so may not be what comes before `x`: the image alone does
    paired = pairs((opened(*CHAIN), {"a": a, "b": b, "c": c}), (ours, {"x": b, "y": a, "z": c}), known)
    assert paired == {"b": "x", "c": "z"}


def test_outputs_of_one_kind_are_a_pair_whatever_they_hold() -> None:
    a, b, c = values(), values(), values()
    ours = opened("x = conv_2d image", "y = conv_2d x", "z = conv_2d y")
    both = (opened(*CHAIN), {"a": a, "b": b, "c": c}), (ours, {"x": a, "y": b, "z": values()})
    assert pairs(*both, ends=(2, "z")) == {"a": "x", "b": "y", "c": "z"}
    assert pairs(*both) == {"a": "x", "b": "y"}


def test_a_tensor_before_a_factor_that_the_reference_lacks_is_on_the_way() -> None:
    """Nearer by less than tenfold does not count."""
    a = values()
    ours = opened(
        "x = conv_2d image", step("y = mul x", kind="product", constant=constant(2.0)), "z = conv_2d y"
    )
    paired = pairs(
        (opened("a = conv_2d image", "b = conv_2d a"), {"a": a, "b": values()}),
        (ours, {"x": 1.01 * a, "y": 1.02 * a}),
    )
    assert paired == {"a": "y"}
    far = opened("a = conv_2d image", "b = conv_2d a"), {"a": a, "b": values()}
    assert pairs(far, (ours, {"x": 1.01 * a, "y": 1.2 * a})) == {"a": "x"}
