"""Tests of workers.environment: whatever the user's says, a worker computes the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.workers.environment import (
    KERAS_SETTINGS,
    engine,
    share_keras_cache,
    users_keras_home,
    worker_environment,
)
from resnet_edge.workers.process import WorkerProcess

HERE = Path(__file__).parent
ENV = {"PYTHONPATH": str(HERE)}


@pytest.fixture
def hostile_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A KERAS_HOME whose settings break the zoo."""
    home = tmp_path / "keras"
    home.mkdir()
    settings = {"backend": "torch", "floatx": "float16", "image_data_format": "channels_first"}
    (home / "keras.json").write_text(json.dumps(settings))
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    return home


def test_keras_computes_with_the_settings_that_are_proved(hostile_keras: Path, tmp_path: Path) -> None:
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        settings = worker.call("keras_probes:settings", {}, dict[str, object])
    assert settings == KERAS_SETTINGS
    assert [*hostile_keras.iterdir()] == [hostile_keras / "keras.json"]


def test_the_cache_of_weights_stays_the_users(
    hostile_keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name, value in worker_environment(scratch, {}).items():
        monkeypatch.setenv(name, value)
    assert users_keras_home() == hostile_keras
    assert share_keras_cache("models") == hostile_keras / "models"
    (Path(os.environ["KERAS_HOME"]) / "models" / "weights.h5").touch()
    assert (hostile_keras / "models" / "weights.h5").exists()
    share_keras_cache("models")  # twice does no harm


@pytest.mark.parametrize("imports_here", [False, True])
def test_the_current_folder_is_searched_only_where_it_is_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imports_here: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "lib", "/opt/lib"]))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    folders = worker_environment(scratch, {}, imports_here=imports_here)["PYTHONPATH"].split(os.pathsep)
    here = [str(tmp_path), str(tmp_path / "lib")] if imports_here else []
    assert folders == [*here, "/opt/lib", str(HERE.parent.parent)]


def test_no_program_and_no_library_comes_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty entry of a list of folders means that one, and is in many a shell's LD_LIBRARY_PATH."""
    given = os.pathsep.join(["", "/usr/lib/x", ".", "lib", "/usr/bin", ""])
    for name in ("PATH", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(name, given)
    for name in ("PYTHONPYCACHEPREFIX", "PYTHONUSERBASE"):
        monkeypatch.setenv(name, "cache")
    variables = worker_environment(tmp_path, {})
    assert variables["PATH"] == variables["LD_LIBRARY_PATH"] == os.pathsep.join(["/usr/lib/x", "/usr/bin"])
    assert not {"PYTHONPYCACHEPREFIX", "PYTHONUSERBASE"} & set(variables)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of the loader of Linux")
def test_a_library_beside_the_data_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow asks for libcuda.so.1 by its name alone."""
    real = next(Path("/lib").glob("*-linux-gnu/libz.so.1"), None) or pytest.skip("no library to copy")
    shutil.copy(real, tmp_path / "libbeside.so.1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LD_LIBRARY_PATH", ":/usr/local/cuda/lib64")
    code = "import ctypes; ctypes.CDLL('libbeside.so.1')"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0  # as it is without us
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        loaded = worker.call("probes:load_library", {"text": "libbeside.so.1"}, dict)
    assert loaded["text"] == ""


def test_a_home_that_nobody_has_is_a_name_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESNET_EDGE_USERS_KERAS_HOME", raising=False)
    monkeypatch.setenv("KERAS_HOME", "~nobody-at-all/keras")
    assert users_keras_home().name == "keras"


@pytest.mark.parametrize(
    ("said", "variables"), [("jax", {"KERAS_BACKEND": "jax"}), ("torch", {}), ("tensorflow", {}), (None, {})]
)
def test_training_is_on_jax_only_where_the_user_says_so(
    monkeypatch: pytest.MonkeyPatch, said: str | None, variables: dict[str, str]
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if said is not None:
        monkeypatch.setenv("KERAS_BACKEND", said)
    assert engine() == variables
