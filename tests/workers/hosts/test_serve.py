"""serve as a process, asked over pipes; over a real connection it is in test_process.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from resnet_edge.workers.hosts import frames
from resnet_edge.workers.hosts.frames import HostRequest
from tests.hosts.environment import ROOT

PROGRAM = """
from resnet_edge.workers.hosts import serve
serve.SILENCE, serve.GRACE = {silence}, 0.5
serve.main()
"""
MANY = [f"{number:064x}" for number in range(4000)]
"""So many that what is said of them does not fit into a pipe that nobody reads (64 KiB)."""


def started(home: Path, silence: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM.format(silence=silence)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "PATH": "/usr/bin:/bin",
        },
    )


@pytest.fixture(params=[1.0, 600.0], ids=["silent", "closed"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """At work on an answer that nobody takes; then nothing more comes, or its stdin ends."""
    with started(tmp_path, request.param) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(frames.GREETING.encode())
        frames.write(cast(BinaryIO, process.stdin), HostRequest(order="have", digests=MANY))
        if request.param > 60:
            process.stdin.close()
        yield process
        process.kill()


def test_it_ends_though_nobody_takes_its_answer(served: subprocess.Popen[bytes], tmp_path: Path) -> None:
    served.wait(timeout=30)
    assert [*(tmp_path / "resnet-edge" / "runs").iterdir()] == []
