"""What a long step tells while it runs, as plain data that crosses a process border."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One report from a running step: what `on_progress` is called with.

    `done` of `total` units are finished (`total` 0: not known); `note` is free text for
    people. A report with `line` set is printed on a line of its own and stays.
    """

    step: str
    done: int = 0
    total: int = 0
    note: str = ""
    line: bool = False


OnProgress = Callable[[Progress], None]

STARTING = "importing Keras"
"""What a worker that trains does until its first report: some seconds, from a cold disk many."""


def silent(_: Progress) -> None:
    """The report that goes nowhere."""


@contextmanager
def underway(step: str, note: str, on_progress: OnProgress) -> Iterator[None]:
    """Tell that a step begins, and what it does, and that it is done. One that is raised out of ends where
    the error is told."""
    on_progress(Progress(step=step, note=note))
    yield
    on_progress(Progress(step=step, done=1, total=1))


def from_the_start(on_progress: OnProgress, note: str) -> OnProgress:
    """Tell that a worker starts, and by `note` what it does until its first report, which ends that step."""
    began = [Progress(step="start", note=note)]
    on_progress(began[0])

    def report(news: Progress) -> None:
        if began:
            began.clear()
            on_progress(Progress(step="start", done=1, total=1))
        on_progress(news)

    return report


def tracked(items: Iterable[T], step: str, total: int, on_progress: OnProgress) -> Iterator[T]:
    """Yield from `items`, telling `on_progress` after each, at most about 100 times in all."""
    stride = max(1, total // 100)
    on_progress(Progress(step=step, done=0, total=total))
    for done, item in enumerate(items, start=1):
        yield item
        if done % stride == 0 or done == total:
            on_progress(Progress(step=step, done=done, total=total))
