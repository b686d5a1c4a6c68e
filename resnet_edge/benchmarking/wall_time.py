"""Runs in the parent. What a bench takes of its user's time, against the budget that it was given."""

from __future__ import annotations

import time

from resnet_edge.workers.progress import OnProgress, Progress


class WallTime:
    """Counts from its making. What will not fit `budget` seconds is told once, when it is first known, and is
    in `notes` from there on."""

    def __init__(self, budget: float, on_progress: OnProgress) -> None:
        self._began, self._budget, self._on_progress = time.monotonic(), budget, on_progress
        self.notes: tuple[str, ...] = ()

    def elapsed(self) -> float:
        """Seconds."""
        return time.monotonic() - self._began

    def left(self) -> float:
        """Seconds; below 0 once more is spent than there was."""
        return self._budget - self.elapsed()

    def check_opening(self, since: float, opened: int, files: int) -> None:
        """Tell where opening takes longer than the whole budget, once `opened` of so many have taken from
        `since`, an elapsed time, until now: none of them can be left out."""
        expected = since + (self.elapsed() - since) * files / opened
        if self.notes or expected <= self._budget:
            return
        note = (
            f"--budget {self._budget:g}s does not suffice: to open {files} and to warm them up takes about "
            f"{expected:.0f} s here. Each is still timed, in two rounds; give more time, or name fewer files "
            "or --backends"
        )
        self.notes = (note,)
        self._on_progress(Progress(step="budget", note=f"note: {note}", line=True))
