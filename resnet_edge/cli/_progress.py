"""Progress for people: live bars on a terminal, lines in a log. Steps may run side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from resnet_edge.cli.terminal import say
from resnet_edge.core.printable import printable
from resnet_edge.workers.progress import OnProgress, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


AGAIN = 60.0
"""Seconds after which a step that still runs says how far it is."""


class Lines:
    """A line when a step begins that may take long, one when it ends, with its seconds, and one every minute
    between them: how far it is, and how long the rest takes at the speed so far."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        # When a line was printed last, and what had been done at the first report.
        self._said: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, news: Progress) -> None:
        with self._lock:
            text = news.note if news.line else self._text(news)
            if text:
                say(text, err=True)

    def end(self, how: str) -> None:
        """Close the lines of steps that are still underway: the command ends."""
        with self._lock:
            now = time.monotonic()
            for step, began in self._began.items():
                say(f"{step}: {how} {now - began:.1f} s", err=True)
            self._began.clear()

    def _text(self, news: Progress) -> str:
        now = time.monotonic()
        begins = news.step not in self._began
        began = self._began.setdefault(news.step, now)
        if 0 < news.total <= news.done:
            del self._began[news.step]
            self._said.pop(news.step, None)
            count = f" {news.total:,}" if news.total > 1 else ""
            return f"{news.step}:{count} done in {now - began:.1f} s"
        # One unit is one call into a library, mostly over before anybody has read that it began.
        if begins and news.total != 1:
            self._said[news.step] = now, news.done
            about = f" {news.total:,}" if news.total else f" {news.note}".rstrip()
            return f"{news.step}:{about} …"
        return self._underway(news, now, began)

    def _underway(self, news: Progress, now: float, began: float) -> str:
        """What was done before the first report, as by a run that was ended, says nothing of the speed."""
        said, first = self._said.setdefault(news.step, (began, news.done))
        if now - said < AGAIN or news.done <= first:
            return ""
        self._said[news.step] = now, first
        left = (now - began) * (news.total - news.done) / (news.done - first)
        return f"{news.step}: {news.done:,} of {news.total:,}, about {_duration(left)} to go"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


class Bars:
    """One bar for each running step; a finished one goes away."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, news: Progress) -> None:
        with self._lock:
            if news.line:
                self._bars.console.print(printable(news.note), highlight=False, markup=False)
            elif 0 < news.total <= news.done:
                if news.step in self._tasks:
                    self._bars.remove_task(self._tasks.pop(news.step))
            else:
                self._draw(news)

    def _draw(self, news: Progress) -> None:
        text = printable(news.step if news.total or not news.note else f"{news.step}: {news.note}")
        if news.step not in self._tasks:
            self._tasks[news.step] = self._bars.add_task(text, total=None)
        self._bars.update(
            self._tasks[news.step], description=text, completed=news.done, total=news.total or None
        )


@contextmanager
def live() -> Iterator[OnProgress]:
    """Bars on stderr that fit one line each, and leave nothing behind."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(bar_width=10),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True, expand=True) as bars:
        yield Bars(bars)
