"""A network trained on as it is: what it learns, and what its sidecar says."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.compression.fine_tune import fine_tune
from resnet_edge.compression.fine_tune_task import FineTune
from resnet_edge.core.sidecar import read_sidecar
from resnet_edge.models import ModelRequest
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.unfinished import training_run
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = [
    nets.KERAS_WARNINGS,
    pytest.mark.slow,
    # Keras warns of its own default; a worker, where this runs elsewhere, turns no warning into an error
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning"),
]


def test_it_learns_and_says_from_what_and_to_what(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    labels = np.arange(160) % 2
    images = (draw.random((160, 8, 8, 1)) * 60 + 150 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    keras.utils.set_random_seed(0)
    stack = [layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    model = nets.randomized(keras.Sequential([keras.Input((8, 8, 1)), *stack]))
    model.save(tmp_path / "model.keras")
    out = tmp_path / "tuned.keras"
    recipe = Recipe(
        data=str(tmp_path / "data.npz"),
        epochs=3,
        batch_size=16,
        warmup_epochs=0.5,
        augment=(),
        validation=0.2,
        titles=(("data", "two shades"),),
    )
    request = ModelRequest(str(tmp_path / "model.keras"), preprocess="symmetric")
    with training_run(out):
        reply = fine_tune(FineTune(model=request, recipe=recipe, out=str(out)), silent)
    (step,) = read_sidecar(out).steps
    assert step.after == reply.step.after
    assert (step.step, step.title) == ("fine-tune", "3 epochs")
    assert step.details["recipe"]["data"] == "two shades"
    assert step.before is not None
    assert step.before.top1 == pytest.approx(0.5, abs=0.1)
    assert step.after.top1 == 1.0
    assert [weight.shape for weight in keras.saving.load_model(out).weights] == [
        weight.shape for weight in model.weights
    ]
