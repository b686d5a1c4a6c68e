"""Tests of `.h5` files that Keras 3 writes, and of HDF5 files that are broken or hostile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _open(path: Path, **options: Any) -> OpenedModel:
    return open_model(ModelRequest(str(path), **options), silent)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nets.save_h5(nets.classifier(layers.Rescaling(1 / 255)), tmp_path_factory.mktemp("h5") / "net.h5")


@pytest.mark.parametrize("build", [nets.classifier, nets.flat, nets.transfer])
def test_the_network_gives_what_keras_gives(tmp_path: Path, build: Callable[[], keras.Model]) -> None:
    model = build()
    opened = _open(nets.save_h5(model, tmp_path / "m.h5"), preprocess="unit")
    batch = nets.images()
    np.testing.assert_array_equal(opened.network(batch), nets.outputs(model, batch))


def test_the_facts_of_a_file(saved: Path) -> None:
    facts = _open(saved).facts
    assert (facts.name, facts.input_shape, facts.classes) == ("net", nets.SHAPE, nets.CLASSES)
    assert facts.preprocessing.name == "model"


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_refused(saved: Path, tmp_path: Path, share: float) -> None:
    content = saved.read_bytes()
    (tmp_path / "m.h5").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="truncated or damaged"):
        _open(tmp_path / "m.h5")


def test_a_file_of_weights_alone_is_refused(tmp_path: Path) -> None:
    nets.flat().save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelError, match="weights without the model"):
        _open(tmp_path / "m.weights.h5")


def test_an_hdf5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened["table"] = np.arange(5)
    with pytest.raises(ModelError, match="without a Keras model"):
        _open(tmp_path / "m.h5")


def test_a_damaged_config_is_refused(saved: Path, tmp_path: Path) -> None:
    path = _copy(saved, tmp_path)
    with h5py.File(path, "r+") as opened:
        opened.attrs["model_config"] = str(opened.attrs["model_config"])[:100]
    with pytest.raises(ModelError, match="model_config is damaged"):
        _open(path)


def test_a_lambda_layer_is_refused(tmp_path: Path) -> None:
    path = nets.save_h5(nets.classifier(layers.Lambda(lambda x: x / 255, name="scale")), tmp_path / "m.h5")
    with pytest.raises(ModelError, match=r"has a Lambda layer \(scale\)"):
        _open(path)


def test_a_custom_class_is_refused(saved: Path, tmp_path: Path) -> None:
    path = _copy(saved, tmp_path)
    with h5py.File(path, "r+") as opened:
        config = json.loads(opened.attrs["model_config"])
        config["config"]["layers"][1]["class_name"] = "mine>Squash"
        opened.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ModelError, match="Squash"):
        _open(path)


def _external_link(opened: h5py.File) -> None:
    opened["secret"] = h5py.ExternalLink("/etc/hostname", "/")


def _soft_link(opened: h5py.File) -> None:
    opened["again"] = h5py.SoftLink("/model_weights")


def _external_storage(opened: h5py.File) -> None:
    opened.create_dataset("raw", (16,), "u1", external=[("/etc/hostname", 0, 16)])


def _virtual(opened: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    opened.create_virtual_dataset("virtual", layout)


def _size_bomb(opened: h5py.File) -> None:
    opened.create_dataset("bomb", (1 << 20, 1 << 10), "f4", chunks=(1 << 10, 1 << 10))


@pytest.mark.parametrize(
    ("poison", "says"),
    [
        (_external_link, "has a link at 'secret'"),
        (_soft_link, "has a link at 'again'"),
        (_external_storage, "in another file"),
        (_virtual, "in another file"),
        (_size_bomb, r"declares 4,294,967,296 bytes for '/bomb' and stores 0"),
    ],
)
def test_a_hostile_file_never_reaches_keras(
    saved: Path, tmp_path: Path, poison: Callable[[h5py.File], None], says: str
) -> None:
    path = _copy(saved, tmp_path)
    with h5py.File(path, "r+") as opened:
        poison(opened)
    with pytest.raises(ModelError, match=says):
        _open(path)


def _copy(saved: Path, folder: Path) -> Path:
    path = folder / "m.h5"
    path.write_bytes(saved.read_bytes())
    return path
