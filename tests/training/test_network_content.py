"""The size of a network, trained a moment ago or not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from resnet_edge.training.network_content import network_content

# Of keras 3.15, which makes arrays in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def trained() -> Any:
    """With Adam, which keeps two numbers for each weight."""
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(200)])
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 8, 8, 1)), np.zeros((4, 200)), verbose=0)
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_the_state_of_the_optimizer_is_not_counted(trained: Any, tmp_path: Path, suffix: str) -> None:
    compiled, plain = tmp_path / f"compiled{suffix}", tmp_path / f"plain{suffix}"
    trained.save(compiled)
    copy = keras.models.clone_model(trained)
    copy.set_weights(trained.get_weights())
    copy.save(plain)
    content = network_content(compiled)
    assert compiled.stat().st_size > 2.5 * len(content)
    assert len(content) == pytest.approx(len(network_content(plain)), rel=0.1)


def test_what_is_left_is_the_same_model(trained: Any, tmp_path: Path) -> None:
    trained.save(tmp_path / "model.keras")
    (tmp_path / "copy.keras").write_bytes(network_content(tmp_path / "model.keras"))
    copy = keras.models.load_model(tmp_path / "copy.keras", compile=False)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(copy.predict(images, verbose=0), trained.predict(images, verbose=0))
    with zipfile.ZipFile(tmp_path / "copy.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    assert "optimizer" not in weights
    assert set(weights) >= {"layers"}


def test_another_file_counts_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"12345")
    assert network_content(tmp_path / "weights.bin") == b"12345"
