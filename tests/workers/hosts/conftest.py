from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.sshd import Sshd, running
from tests.workers.hosts.environment import stand_in


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A machine, `pi4`, with an empty home."""
    with running(tmp_path / "sshd", monkeypatch) as server:
        yield server


@pytest.fixture
def host(sshd: Sshd) -> Sshd:
    """The same with an environment, which is this one."""
    stand_in(sshd)
    return sshd
