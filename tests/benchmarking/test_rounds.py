"""Tests of benchmarking.rounds: who takes turns when, and for how long."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.benchmarking.rounds import (
    LARGEST_BLOCK,
    SETTLED_ROUNDS,
    Runner,
    interleave,
    settled,
    warm_up,
)
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.workers.progress import Progress, silent


def test_a_median_is_known_when_rounds_agree_and_not_before() -> None:
    random = np.random.default_rng(0)
    steady, unsteady = random.normal(10, 0.1, (40, 3)), random.lognormal(2, 0.5, (40, 3))
    assert settled([steady.tolist()])
    assert not settled([unsteady.tolist()])
    assert not settled([steady.tolist(), unsteady.tolist()])


class Steady:
    """A session whose own clock always says the same."""

    input, output, device = (
        TensorSpec("image", (1,), "float32"),
        TensorSpec("logits", (1, 2), "float32"),
        "cpu",
    )

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        return images

    def timed(self, images: NDArray[Any], calls: int) -> list[float]:
        return [1.0] * calls


def test_no_further_round_is_taken_once_all_is_known() -> None:
    runners = {0: Runner(Steady(), np.zeros(1), 1)}
    progress: list[Progress] = []
    times, _ = interleave(runners, None, 60.0, 0, progress.append, until_settled=True)
    assert len(times[0]) == SETTLED_ROUNDS
    assert progress[-1].done == progress[-1].total > 0, "also what is over at once has been said"
    times, _ = interleave(runners, 50, 60.0, 0, silent, until_settled=True)
    assert len(times[0]) == 50


class Recorder:
    """A session that notes when it is called, and breaks where it is told to."""

    input = TensorSpec("image", (1, 1, 1, 1), "float32")
    output = TensorSpec("logits", (1, 2), "float32")
    device = "cpu"

    def __init__(self, name: int, calls: list[int], breaks_after: int | None = None) -> None:
        self._name, self._calls, self._left = name, calls, breaks_after

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        assert not gc.isenabled()
        if self._left is not None:
            if self._left == 0:
                raise ArtifactError("it broke")
            self._left -= 1
        self._calls.append(self._name)
        return np.zeros((1, 2), np.float32)


IMAGE = np.zeros((1, 1, 1, 1), np.float32)


def test_rounds_visit_everyone_once_in_a_changing_order() -> None:
    calls: list[int] = []
    runners = {name: Runner(Recorder(name, calls), IMAGE, block=1) for name in range(4)}
    times, broken = interleave(runners, 20, 0.0, seed=3, on_progress=silent)
    assert gc.isenabled()
    assert not broken
    assert all(rows.shape == (20, 1) for rows in times.values())
    turns = calls[::2]  # each turn is a call that is not timed and one that is
    assert turns == calls[1::2]
    orders = [tuple(turns[start : start + 4]) for start in range(0, 80, 4)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(orders)) > 5
    again: list[int] = []
    interleave({name: Runner(Recorder(name, again), IMAGE, 1) for name in range(4)}, 20, 0.0, 3, silent)
    assert again == calls


def test_one_that_breaks_on_the_way_leaves_and_the_others_go_on() -> None:
    calls: list[int] = []
    runners = {
        0: Runner(Recorder(0, calls), IMAGE, block=2),
        1: Runner(Recorder(1, calls, breaks_after=7), IMAGE, block=2),
    }
    times, broken = interleave(runners, 10, 0.0, seed=0, on_progress=silent)
    assert set(times) == {0}
    assert times[0].shape == (10, 2)
    assert str(broken[1]) == "it broke"
    assert gc.isenabled()


def test_warm_up_of_a_fast_session_asks_for_a_full_block() -> None:
    gc.disable()
    try:
        calls: list[int] = []
        assert warm_up(Recorder(0, calls), IMAGE) == LARGEST_BLOCK
        assert 5 <= len(calls) <= 200
    finally:
        gc.enable()
