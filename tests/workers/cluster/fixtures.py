"""A real Ray cluster, with a token of its own."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import resnet_edge

CODE = Path(resnet_edge.__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class RayCluster:
    """Two nodes of one CPU each. `environment` is what a process needs to join; `temporary` is where its
    nodes put temporary files, and `folder` where Ray has its own."""

    address: str
    client_port: int
    environment: Mapping[str, str]
    temporary: Path
    folder: Path
    process: subprocess.Popen[str]

    @property
    def word(self) -> str:
        """For --cluster."""
        return f"ray:{self.address}"

    @property
    def client_word(self) -> str:
        """The same through Ray Client."""
        return f"ray://127.0.0.1:{self.client_port}"

    def lose_a_node(self) -> None:
        """As one that is switched off."""
        self._order("lose")

    def add_a_node(self) -> None:
        """One more, of one CPU."""
        self._order("add")

    def _order(self, word: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"{word}: done\n"

    def left(self, seconds: float = 30) -> list[str]:
        """What of runs is left on its machines, files and processes; what ends has as long to do so."""
        until = time.monotonic() + seconds
        while (left := self._left()) and time.monotonic() < until:
            time.sleep(0.1)
        return left

    def _left(self) -> list[str]:
        files = [str(file) for file in self.temporary.glob("resnet-edge-*")]
        mark = f"TMPDIR={self.temporary}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                inside = mark in (entry / "environ").read_bytes()
                words = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if inside and b"resnet_edge.workers.child" in words:
                files.append(words.decode(errors="replace"))
        return files


@contextmanager
def started(temporary: Path, *words: str, **more: str) -> Iterator[RayCluster]:
    """A cluster, until the block ends; `words` are for `two_nodes`, and its processes have `more` in their
    environment."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'resnet-edge[cluster]'")
    # Ray makes sockets there, whose names must be short.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    token = folder / "token"
    token.write_text(secrets.token_hex(32), encoding="utf-8")
    joining = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    paths = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH", ""))))
    environment = {
        **os.environ,
        **joining,
        "PYTHONPATH": paths,
        "TMPDIR": str(temporary),
        "RAY_TMPDIR": str(folder),
        "RAY_worker_niceness": "0",  # beside other tests Ray's processes would wait for ever
        "RAY_USAGE_STATS_ENABLED": "0",
        **more,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.cluster.two_nodes", *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=CODE,
        )
    try:
        assert process.stdout is not None
        address, _, client = process.stdout.readline().strip().partition(" ")
        assert address, (folder / "log").read_text(errors="replace")[-4000:]
        yield RayCluster(
            address=address,
            client_port=int(client),
            environment=joining,
            temporary=temporary,
            folder=folder,
            process=process,
        )
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """One for all tests that leave both nodes."""
    with started(tmp_path_factory.mktemp("nodes")) as cluster:
        yield cluster


@pytest.fixture
def losing_cluster(tmp_path: Path) -> Iterator[RayCluster]:
    """One of which a test takes a node away."""
    temporary = tmp_path / "nodes"
    temporary.mkdir()
    with started(temporary) as cluster:
        yield cluster
