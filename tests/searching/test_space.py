"""Tests of search.space."""

from __future__ import annotations

import random
from typing import Any

from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.space import NATIVE, Space, configured, everything, starting


def test_what_another_choice_leaves_nothing_to_say_does_not_make_another_configuration() -> None:
    space = Space(pruning=("none",), scheme=("fp32",), calibrator=("mse", "entropy"), amount=(0.1, 0.9))
    assert everything(space) == frozenset({Configuration(scheme="fp32")})


def test_a_fixed_choice_is_not_asked_for() -> None:
    suggested = []

    def suggest(name: str, values: tuple[Any, ...]) -> Any:
        suggested.append(name)
        return values[-1]

    space = Space(pruning=("channel",), amount=(0.5,), scheme=("fp32", "int8"))
    assert configured(space, suggest) == Configuration(pruning="channel", amount=0.5, epochs=1, scheme="int8")
    assert suggested == ["scheme"]


def test_ranges_that_training_learned_leave_no_calibrator_to_choose() -> None:
    space = Space(
        pruning=("none",), scheme=("int8",), qat_epochs=(1,), calibrator=("mse",), float_layers=(2,)
    )
    (only,) = everything(space) or frozenset({NATIVE})
    assert (only.qat_epochs, only.calibrator, only.float_layers) == (1, "auto", 0)


def test_nothing_pruned_is_not_pruned() -> None:
    space = Space(pruning=("channel",), amount=(0.0,), scheme=("fp32",))
    assert everything(space) == frozenset({NATIVE})


def test_everything_is_what_chance_can_draw() -> None:
    space = Space(
        amount=(0.2, 0.4),
        remove_blocks=(0, 1),
        scheme=("fp32", "int8"),
        calibrator=("auto", "mse"),
        qat_epochs=(0, 1),
    )
    every = everything(space)
    chance = random.Random(0)
    drawn = frozenset(configured(space, lambda name, values: chance.choice(values)) for _ in range(3000))
    assert drawn == every


def test_a_space_that_nobody_tries_out_is_not_counted() -> None:
    assert everything(Space(amount=tuple(n / 100_001 for n in range(1, 100_001)))) is None


def test_a_search_starts_with_the_model_in_each_scheme() -> None:
    first = starting(Space(scheme=("fp32", "int8"), calibrator=("mse", "auto")))
    assert first == [Configuration(scheme="fp32"), Configuration(scheme="int8")]


def test_where_the_model_as_it_is_is_left_out_it_starts_with_the_first_values() -> None:
    (first,) = starting(Space(pruning=("channel",), amount=(0.3, 0.5), scheme=("int8",)))
    assert (first.pruning, first.amount, first.epochs) == ("channel", 0.3, 1)
