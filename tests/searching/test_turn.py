"""Tests of searching.turn: real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import pytest

from resnet_edge.core.errors import WorkerFailed
from resnet_edge.searching.turn import Turn

SOON, LATE = 0.2, 10.0


def test_one_thread_at_a_time_works_and_who_leaves_lets_others_in() -> None:
    turn, inside = Turn(), threading.Event()
    order: list[str] = []

    def other() -> None:
        with turn.taken():
            order.append("other")
            inside.set()

    with ThreadPoolExecutor(1) as threads, turn.taken():
        done = threads.submit(other)
        assert not inside.wait(SOON)
        with turn.left():
            assert inside.wait(LATE)
            done.result()
        order.append("own")
    assert order == ["other", "own"]


def test_who_has_none_has_none_to_leave() -> None:
    turn = Turn()
    with turn.left(), turn.taken(), turn.left():
        pass
    with turn.taken():
        pass


def test_alone_waits_for_what_loads_this_machine_and_for_nothing_else() -> None:
    turn, ends = Turn(), threading.Event()

    def elsewhere(works_here: bool, left: threading.Event) -> None:
        with turn.taken(), turn.left(works_here=works_here):
            left.set()
            assert ends.wait(LATE)

    def alone(begun: threading.Event, done: threading.Event) -> None:
        with turn.taken():
            begun.set()
            turn.alone()
            done.set()

    def both(works_here: bool) -> Callable[[], bool]:
        left, begun, done = (threading.Event() for _ in range(3))
        threads.submit(elsewhere, works_here, left)
        assert left.wait(LATE)
        threads.submit(alone, begun, done)
        assert begun.wait(LATE)
        return lambda: done.wait(SOON)

    with ThreadPoolExecutor(4) as threads:
        try:
            assert both(False)(), "the cluster is elsewhere"
            is_done = both(True)
            assert not is_done()
        finally:
            ends.set()
        assert is_done() or is_done()


def test_trainings_that_load_this_machine_go_in_step() -> None:
    """Each trial is alone at its own moment, and none waits for a whole training of another."""
    turn, order, at_once = Turn(), list[str](), list[int]()

    def slot(name: str, trials: int) -> None:
        with turn.slot():
            for _ in range(trials):
                turn.alone()
                order.append(f"{name} measures")
                with turn.training(works_here=True, in_step=True):
                    order.append(f"{name} trains")
                    at_once.append(1)
                    time.sleep(SOON)
                    at_once.append(-1)

    turn.expect(3)
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(slot, name, count) for name, count in (("a", 2), ("b", 2), ("c", 1))]:
            done.result(LATE)
    assert {*order[:3]} == {"a measures", "b measures", "c measures"}
    assert {*order[3:6]} == {"a trains", "b trains", "c trains"}
    assert {*order[6:8]} == {"a measures", "b measures"}
    assert {*order[8:]} == {"a trains", "b trains"}
    assert max(accumulate(at_once)) == 3


@pytest.mark.parametrize(("works_here", "in_step"), [(False, True), (True, False)])
def test_other_trainings_begin_at_once(works_here: bool, in_step: bool) -> None:
    turn, ends = Turn(), threading.Event()

    def busy() -> None:
        with turn.slot(), turn.left():
            assert ends.wait(LATE)

    def trains() -> None:
        with turn.slot(), turn.training(works_here=works_here, in_step=in_step):
            pass

    turn.expect(2)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(busy)
        threads.submit(trains).result(LATE)
        ends.set()


def test_who_waits_for_what_another_trains_holds_nobody_up() -> None:
    turn, begun = Turn(), threading.Event()

    def waits() -> None:
        with turn.slot(), turn.waiting():
            assert begun.wait(LATE)

    def trains() -> None:
        with turn.slot(), turn.training(works_here=True, in_step=True):
            begun.set()

    turn.expect(2)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(trains), threads.submit(waits)]
        for one in both:
            one.result(LATE)


def test_who_waits_to_go_in_step_ends_with_the_search() -> None:
    turn, ends = Turn(), threading.Event()

    def busy() -> None:
        with turn.slot(), turn.left():
            assert ends.wait(LATE)

    def trains() -> None:
        with turn.slot(), turn.training(works_here=True, in_step=True):
            pass

    turn.expect(2)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(busy)
        waiting = threads.submit(trains)
        time.sleep(SOON)
        assert not waiting.done()
        turn.end()
        with pytest.raises(WorkerFailed, match="the search is over"):
            waiting.result(LATE)
        ends.set()


def test_nobody_waits_any_more_when_it_is_over() -> None:
    turn = Turn()
    turn.pause(0)
    assert not turn.over
    turn.end()
    assert turn.over
    with pytest.raises(WorkerFailed, match="the search is over"):
        turn.pause(LATE)
