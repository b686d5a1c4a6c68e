"""Other machines, for every test that wants one (tests/conftest.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.environment import stand_in
from tests.hosts.sshd import Sshd, raspberry_programs, running


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A machine like this one, `pi4`, with an empty home."""
    with running(tmp_path / "sshd", monkeypatch) as server:
        yield server


@pytest.fixture
def raspberry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A Raspberry Pi, `pi4`: aarch64, emulated, with Debian's Python."""
    path = raspberry_programs(tmp_path / "programs")
    with running(tmp_path / "sshd", monkeypatch, path=path) as server:
        yield server


@pytest.fixture
def host(sshd: Sshd) -> Sshd:
    """A machine, `pi4`, whose environment is this one."""
    stand_in(sshd)
    return sshd
