"""Who may do more than read: by what a worker is given, and never by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core import registry
from resnet_edge.models import ModelRequest, grant_of
from resnet_edge.training.recipe import Recipe, training_grant
from resnet_edge.workers.grant import FREE, NOTHING, Grant
from resnet_edge.workers.grants import backends_grant, training_data_grant


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def test_a_model_that_is_data_needs_nothing(home: Path, tmp_path: Path) -> None:
    for name in ("net.keras", "net.h5"):
        (tmp_path / name).touch()
        assert grant_of(ModelRequest(str(tmp_path / name))) == NOTHING
    assert grant_of(ModelRequest("resnet20")) == NOTHING
    assert grant_of(ModelRequest("app:ResNet50:random")) == NOTHING
    assert not home.exists()


def test_weights_are_downloaded_into_the_users_cache_and_nowhere_else(home: Path) -> None:
    assert grant_of(ModelRequest("app:ResNet50")) == Grant(network=True, writes=(str(home / "models"),))


def test_programs_of_the_user_run_as_the_user(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    assert grant_of(ModelRequest(str(tmp_path), trust=True)) == FREE
    assert grant_of(ModelRequest("package.module:factory")) == Grant(free=True, imports_here=True)


def test_browsers_alone_are_free_among_the_backends() -> None:
    free = {name for name in registry.names("backends") if backends_grant([name]).free}
    assert free == {"litert_js", "mediapipe_web", "onnxruntime_web"}
    assert backends_grant(["litert", "onnxruntime_web:gpu"]).free
    assert backends_grant(["litert:gpu", "no_such_backend"]) == NOTHING


def test_only_training_images_are_downloaded(home: Path) -> None:
    assert training_data_grant("photos/") == training_data_grant("fashion-mnist:own") == NOTHING
    assert training_data_grant("fashion-mnist") == Grant(network=True, writes=(str(home / "datasets"),))


def test_training_writes_its_checkpoint_alone(tmp_path: Path) -> None:
    out = tmp_path / "net.keras"
    recipe = Recipe(data="photos/", epochs=1)
    checkpoint = f"{out}.checkpoint"
    assert training_grant(recipe, str(out), ModelRequest("resnet20")) == Grant(writes=(checkpoint,))
    taught = training_grant(Recipe(data="photos/", epochs=1, teacher="mine:model"), str(out))
    assert taught.free
    assert taught.writes == (checkpoint,)
