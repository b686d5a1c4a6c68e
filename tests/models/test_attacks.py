"""Every known way of attacking Keras by a model file: nothing runs, nothing is written, no port is asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state

from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models._held import held
from resnet_edge.workers.progress import silent
from tests.models import attacks, nets

pytestmark = nets.KERAS_WARNINGS


class Trap:
    """A folder to run in, and a port that must not be asked."""

    def __init__(self, folder: Path, server: socket.socket) -> None:
        self.folder, self._server = folder, server
        self.port: int = server.getsockname()[1]
        self._before = self._state()

    def armed(self) -> None:
        """What is there now is as it should be."""
        self._before = self._state()

    def check(self) -> None:
        assert self._state() == self._before
        with suppress(BlockingIOError):
            self._server.accept()[0].close()
            raise AssertionError("a port was asked")

    def _state(self) -> Any:
        files = sorted(str(each) for each in self.folder.rglob("*"))
        safe = global_state.get_global_attribute("safe_mode_saving")
        return files, keras.config.floatx(), keras.config.dtype_policy().name, safe


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Trap(tmp_path, server)


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_the_command_refuses_it_in_one_line(trap: Trap, name: str) -> None:
    attacks.write_keras(name, trap.folder / "m.keras", trap.port)
    np.savez(trap.folder / "d.npz", images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.arange(4) % 3)
    trap.armed()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "resnet_edge",
            "convert",
            "m.keras",
            "--data",
            "d.npz",
            "--out",
            "o",
            "--quiet",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_HOME": str(trap.folder / "cache")},
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: m.keras")
    assert len(done.stderr.splitlines()) == 1
    trap.check()


@pytest.mark.parametrize("version", ["3.15.1", "2.15.0"])
@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_it_is_refused_in_a_h5_file(trap: Trap, name: str, version: str) -> None:
    path = attacks.write_h5(name, trap.folder / "m.h5", trap.port, version)
    trap.armed()
    with pytest.raises(ModelError, match=r"m\.h5"):
        open_model(ModelRequest(str(path), preprocess="unit"), silent)
    trap.check()


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_it_is_not_resolved_where_the_check_of_the_config_is_passed_by(trap: Trap, name: str) -> None:
    """The second wall alone: Keras' own loader, held to the list."""
    path = attacks.write_keras(name, trap.folder / "m.keras", trap.port)
    older = attacks.write_h5(name, trap.folder / "m.h5", trap.port, "3.15.1")
    trap.armed()
    for file in (path, older):
        # one that only loses what it asked for, a registered name or how it was compiled, opens
        with held(), suppress(Exception):
            keras.models.load_model(file, compile=False)
    trap.check()


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_tf_keras_resolves_it_as_little(trap: Trap, name: str) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    path = attacks.write_h5(name, trap.folder / "m.h5", trap.port, "2.15.0")
    trap.armed()
    with held("tf_keras"), suppress(Exception):
        tf_keras.models.load_model(path, compile=False)
    trap.check()


def test_the_trap_sees_what_comes_through(trap: Trap) -> None:
    with socket.create_connection(("127.0.0.1", trap.port)), pytest.raises(AssertionError, match="a port"):
        trap.check()
    (trap.folder / "marker").mkdir()
    with pytest.raises(AssertionError, match="marker"):
        trap.check()
