"""Tests of the Taylor score against the loss itself, on both backends."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from resnet_edge.compression.pruning import Selection
from resnet_edge.compression.pruning.taylor import gradients, taylor, variables
from resnet_edge.core.errors import DataError, ResnetEdgeError
from tests.compression.pruning import nets
from tests.compression.pruning.masking import masked
from tests.models.nets import KERAS_WARNINGS

pytestmark = KERAS_WARNINGS

IMAGES = np.random.default_rng(1).random((6, *nets.SHAPE), np.float32)
LABELS = np.array([0, 1, 2, 3, 4, 0])


def cross_entropy(labels: Any, logits: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _loss(model: keras.Model) -> float:
    losses = cross_entropy(LABELS, keras.ops.convert_to_tensor(nets.outputs(model, IMAGES)))
    return float(keras.ops.mean(losses))


def score(model: keras.Model, batches: int = 1) -> dict[str, Any]:
    channels = nets.mapped(model)
    slope = gradients(model, variables(channels), cross_entropy)
    parts = zip(np.split(IMAGES, batches), np.split(LABELS, batches), strict=True)
    return taylor(channels, slope, parts)


def test_it_foretells_what_the_loss_loses() -> None:
    """A channel whose readers are small enough that the first order is all there is."""
    model = nets.residual()
    channels = nets.mapped(model)
    kernel = model.get_layer("a2").kernel
    values = np.array(keras.ops.convert_to_numpy(kernel))
    values[:, :, 1] *= 1e-2
    kernel.assign(values)
    value = score(model)["a1"][1]
    kept = tuple(c for c in range(6) if c != 1)
    change = _loss(masked(channels, Selection({"a1": kept}))) - _loss(model)
    assert np.sqrt(value) == pytest.approx(abs(change), rel=0.05)


def test_a_residual_channel_counts_with_all_its_readers() -> None:
    scores = score(nets.preactivated())
    assert set(scores) == {"stem", "a1", "b1"}
    assert all((values > 0).any() for values in scores.values())  # a ReLU may be dead on six images


def test_batches_are_averaged_after_the_square() -> None:
    model = nets.operators()
    channels = nets.mapped(model)
    slope = gradients(model, variables(channels), cross_entropy)
    one, two = (taylor(channels, slope, [(IMAGES[part], LABELS[part])]) for part in (slice(3), slice(3, 6)))
    both = score(model, batches=2)
    np.testing.assert_allclose(both["stem"], (one["stem"] + two["stem"]) / 2, rtol=1e-4)


def test_frozen_layers_are_ranked_too() -> None:
    scores = score(nets.nested())
    assert (scores["trunk_stem"] > 0).any()


def test_no_images_and_broken_gradients_are_refused() -> None:
    channels = nets.mapped(nets.operators())
    with pytest.raises(DataError, match="no images to rank"):
        taylor(channels, lambda images, labels: [], [])
    broken = [np.full(tuple(v.shape), np.nan) for v in variables(channels)]
    with pytest.raises(DataError, match="NaN or infinity"):
        taylor(channels, lambda images, labels: broken, [(IMAGES, LABELS)])


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ResnetEdgeError, match="Keras backend torch: set KERAS_BACKEND"):
        gradients(nets.operators(), [], cross_entropy)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed: pip install jax")
def test_jax_gives_the_same(tmp_path: Path) -> None:
    """The whole of pruning under the other backend, in a process of its own, on the same weights."""
    model = nets.residual()
    model.save(tmp_path / "m.keras")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    code = Path(__file__).with_name("under_jax.py")
    done = subprocess.run(
        [sys.executable, code, tmp_path], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as arrays:
        assert str(arrays["backend"]) == "jax"
        for name, values in score(model).items():
            np.testing.assert_allclose(arrays[name], values, rtol=1e-3, atol=1e-12)
        assert arrays["difference"] < 1e-5
