"""Tests of core.worker_environment: whatever the user's says, a worker computes the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from resnet_edge.core.worker import Worker
from resnet_edge.core.worker_environment import (
    KERAS_SETTINGS,
    share_keras_cache,
    users_keras_home,
    worker_environment,
)

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
    with Worker("probe", tmp_path / "log", ENV) as worker:
        found = worker.call("keras_probes:settings", {}, dict[str, object])
    assert found == KERAS_SETTINGS
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
    found = worker_environment(scratch, {}, imports_here=imports_here)["PYTHONPATH"].split(os.pathsep)
    here = [str(tmp_path), str(tmp_path / "lib")] if imports_here else []
    assert found == [*here, "/opt/lib", str(HERE.parent.parent)]
