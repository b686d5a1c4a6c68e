"""A worker that runs the functions of probes.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_edge.workers.process import WorkerProcess
from tests.workers.probing import ENV


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess("probe", tmp_path / "probe.log", ENV) as running:
        yield running
