"""Tests of `app:`: the table against keras.applications, random weights, the cache, being offline."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.applications import PREPROCESSING
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from resnet_edge.workers.progress import Progress, silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS

FACTS = "probes:facts"
ENV = {
    "PYTHONPATH": str(Path(__file__).parent),
    "https_proxy": "http://127.0.0.1:9",  # nobody listens there: offline, wherever the tests run
}


def test_the_table_is_that_of_keras() -> None:
    offered = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(PREPROCESSING) == offered


@pytest.mark.parametrize(
    "module", ["resnet50", "resnet_v2", "densenet", "mobilenet_v2", "efficientnet", "convnext"]
)
def test_the_preprocessing_is_that_of_keras(module: str) -> None:
    family = getattr(keras.applications, module)
    (name, *_) = [n for n in PREPROCESSING if hasattr(family, n)]
    preset = PRESETS[PREPROCESSING[name]]
    pixels = nets.images((4, 4, 3)) * 255
    ordered = pixels[..., ::-1] if preset.channels == "BGR" else pixels
    ours = ordered * np.array(preset.scale, np.float32) + np.array(preset.offset, np.float32)
    np.testing.assert_allclose(ours, family.preprocess_input(pixels.copy()), rtol=1e-5, atol=1e-4)


def test_random_weights_are_seeded_and_fit_the_shape() -> None:
    request = ModelRequest("app:MobileNetV2:random", input_shape=(32, 32, 3))
    first, again = open_model(request, silent).facts, open_model(request, silent).facts
    assert first == again
    assert (first.name, first.input_shape, first.classes) == ("MobileNetV2-random", (32, 32, 3), 1000)
    assert (first.output, first.preprocessing.name) == ("probabilities", "symmetric")


def test_a_shape_that_keras_refuses_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="app:MobileNetV2 does not take --input-shape"):
        open_model(ModelRequest("app:MobileNetV2:random", input_shape=(8, 8, 3)), silent)


def granted(home: Path) -> Grant:
    """As `grant_of`, for another Keras cache than that of whoever runs the tests."""
    (home / "models").mkdir(parents=True, exist_ok=True)
    return Grant(network=True, writes=(str(home / "models"),))


def test_offline_without_a_cache_is_one_line_that_names_the_cache(tmp_path: Path) -> None:
    steps: list[Progress] = []
    home = tmp_path / "home"
    with (
        WorkerProcess("model", tmp_path / "log", {**ENV, "KERAS_HOME": str(home)}, granted(home)) as worker,
        pytest.raises(ModelError, match="app:MobileNet:random") as raised,
    ):
        worker.call(FACTS, ModelRequest("app:MobileNet"), ModelFacts, steps.append)
    assert str(home / "models") in str(raised.value)
    assert "\n" not in str(raised.value)
    assert any("downloading the weights of MobileNet: https://" in progress.note for progress in steps)


def test_weights_in_the_cache_are_used_without_a_download(tmp_path: Path) -> None:
    cache = tmp_path / "home" / "models"
    cache.mkdir(parents=True)
    keras.utils.set_random_seed(5)
    model = keras.applications.MobileNet(weights=None)
    # of all networks there, MobileNet's file is the one that Keras takes without a checksum
    nets.save_h5(model, cache / "mobilenet_1_0_224_tf.h5")
    steps: list[Progress] = []
    home = tmp_path / "home"
    with WorkerProcess("model", tmp_path / "log", {**ENV, "KERAS_HOME": str(home)}, granted(home)) as worker:
        facts = worker.call(FACTS, ModelRequest("app:MobileNet"), ModelFacts, steps.append)
    assert facts.name == "MobileNet"
    assert facts.parameters == model.count_params()
    assert steps == []
