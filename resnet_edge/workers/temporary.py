"""Folders of a run that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.workers.process import log_folder


@contextmanager
def temporary() -> Iterator[tuple[Path, Path]]:
    """A folder that goes away, and one for logs, which stays where a worker failed."""
    with scratch_folder() as scratch, log_folder() as logs:
        yield scratch, logs
