"""The Keras model itself as a backend, under TensorFlow and under JAX, each in a process of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, DataError, DeviceUnavailable, UsageError
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import tiny

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
N = 5


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.write_keras(folder)
    for name in ("random.keras", "empty.keras", "random.h5"):
        (folder / name).write_bytes(b"" if "empty" in name else b"no model" * 100)
    image = keras.Input((None, None, 3))
    keras.Model(image, layers.GlobalAveragePooling2D()(image)).save(folder / "open.keras")
    np.save(folder / "images.npy", tiny.pixels(N))
    np.save(folder / "small.npy", tiny.pixels(N)[:, :4])
    return folder


class Process:
    """A worker that runs models with one of the backends."""

    def __init__(self, worker: WorkerProcess, backend: str, models: Path) -> None:
        self.worker, self.backend, self.models = worker, backend, models

    def predict(
        self, file: str, device: str = "cpu", threads: int = 1, images: str = "images.npy"
    ) -> NDArray[Any]:
        out = self.models / f"{self.backend}.npy"
        request = Predict(
            path=str(self.models / file),
            format="keras",
            backend=self.backend,
            device=device,
            threads=threads,
            images=str(self.models / images),
            out=str(out),
        )
        prediction = self.worker.run(request)
        assert (prediction.n, prediction.device) == (N, device)
        outputs: NDArray[Any] = np.load(out)
        return outputs


@pytest.fixture(scope="module", params=["keras", "keras_jax"])
def process(
    request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    if request.param == "keras_jax" and importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with WorkerProcess(request.param, tmp_path_factory.mktemp("logs") / "log", grant=grant) as worker:
        yield Process(worker, request.param, models)


@pytest.mark.parametrize("file", ["net.keras", "net.h5"])
def test_it_gives_the_models_logits(process: Process, file: str) -> None:
    got = process.predict(file)
    assert np.abs(got - tiny.logits(tiny.pixels(N))).max() < 1e-5 * np.abs(got).max()


def test_images_that_do_not_fit_are_refused(process: Process) -> None:
    with pytest.raises(DataError, match="resize them first"):
        process.predict("net.keras", images="small.npy")


def test_a_process_has_its_threads_for_good(process: Process) -> None:
    process.predict("net.keras")
    with pytest.raises(DeviceUnavailable, match="1 threads for good: open it with 2 in another"):
        process.predict("net.keras", threads=2)


@pytest.mark.parametrize("device", ["gpu", "gpu-tf32"])
def test_a_gpu_gives_the_models_logits_too(process: Process, device: str) -> None:
    try:
        got = process.predict("net.keras", device)
    except DeviceUnavailable as error:
        pytest.skip(str(error))
    assert np.abs(got - tiny.logits(tiny.pixels(N))).max() < 1e-2 * np.abs(got).max()


def test_a_device_that_no_gpu_is_called_is_refused(process: Process) -> None:
    with pytest.raises(DeviceUnavailable, match="choose from: cpu, gpu, gpu-tf32"):
        process.predict("net.keras", "npu")


@pytest.mark.parametrize("file", ["random.keras", "empty.keras", "random.h5", "absent.keras"])
def test_what_is_no_model_is_refused_in_one_line(process: Process, file: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        process.predict(file)
    assert "\n" not in str(caught.value)
    assert file in str(caught.value)


def test_one_that_does_not_say_its_size_is_refused_without_an_option_of_others(process: Process) -> None:
    with pytest.raises(ArtifactError, match="any size, and alone it says none: name what `convert` made"):
        process.predict("open.keras")


def test_keras_that_computes_with_tensorflow_already_is_no_jax() -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    registry.load("backends", "keras")
    with pytest.raises(UsageError, match="computes with tensorflow in this process"):
        registry.load("backends", "keras_jax")
