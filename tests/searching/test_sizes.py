"""Tests of search.sizes: real workers, and a search over input sizes from end to end."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.sidecar import read_sidecar
from resnet_edge.evaluation.source_task import ReadModelFacts
from resnet_edge.models import ModelRequest
from resnet_edge.report import write_frontier
from resnet_edge.searching.request import SearchLimits, SearchRequest, Training
from resnet_edge.searching.search import search
from resnet_edge.searching.sizes import InputSizes, fitting, resize_notes
from resnet_edge.searching.space import Space
from resnet_edge.searching.store import SearchStore
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import workers_and_threads
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS
SIDE, CLASSES, IMAGES = 12, 3, 240


def _pictures(seed: int, count: int = IMAGES) -> tuple[np.ndarray, np.ndarray]:
    """Grey waves: the class is how strong they are, which a resize leaves."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    at = np.linspace(0, np.pi, SIDE)[None, :] * draw.uniform(1, 2, (count, 1))
    waves = np.sin(at[:, :, None] + at[:, None, :] + draw.uniform(0, 6, (count, 1, 1)))
    pixels = 128 + waves * np.array([15, 50, 110])[labels][:, None, None] + draw.normal(0, 2, waves.shape)
    return pixels.clip(0, 255).astype(np.uint8)[..., None], labels


def _network(*end: layers.Layer) -> keras.Model:
    keras.utils.set_random_seed(0)
    front = [layers.Rescaling(1 / 127.5, -1), layers.Conv2D(16, 3, padding="same", activation="relu")]
    return keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), *front, layers.Conv2D(16, 3, strides=2, activation="relu"), *end]
    )


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> SearchRequest:
    folder = tmp_path_factory.mktemp("search")
    model = _network(layers.GlobalAveragePooling2D(), layers.Dense(CLASSES))
    model.save(folder / "net.keras")
    for seed, name in enumerate(("data", "train")):
        images, labels = _pictures(seed)
        np.savez(folder / f"{name}.npz", images=images, labels=labels)
    return SearchRequest(
        model=ModelRequest(str(folder / "net.keras")),
        data=str(folder / "data.npz"),
        calibration=None,
        training=None,
        objectives=("accuracy", "latency"),
        backend="litert",
        limits=SearchLimits(),
        space=Space(input_size=(None, (8, 16)), pruning=("none",), scheme=("int8",)),
        trials=4,
        budget_seconds=None,
        study=str(folder / "study"),
        latency_seconds=0.2,
    )


@pytest.fixture(scope="module")
def sizes(request_: SearchRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InputSizes]:
    folder = tmp_path_factory.mktemp("sizes")
    with (
        Workspace(folder / "out") as workspace,
        SearchStore(folder / "files") as store,
        workers_and_threads(
            *(workspace.logs, 2, {}, workspace.check_space, Grant(writes=(str(workspace.scratch),)))
        ) as (workers, _),
    ):
        source = workers.worker("source", silent, Grant(writes=(str(store.folder),)))
        yield InputSizes(
            request=request_,
            facts=source.run(ReadModelFacts(model=request_.model)),
            workspace=workspace,
            workers=workers,
            store=store,
            source=source,
            on_progress=silent,
        )


def test_each_size_has_its_network_and_the_same_pictures(sizes: InputSizes) -> None:
    by_size = sizes.prepared()
    assert list(by_size) == [(SIDE, SIDE), (8, 16)]
    own, other = by_size.values()
    assert own.model == sizes.request.model
    assert sizes.source.run(ReadModelFacts(model=other.model)).input_shape == (8, 16, 1)
    assert own.data == sizes.request.data
    assert Path(other.model.source).name == "net.keras"  # what is made of it bears the name
    assert (np.load(own.images.images).shape[1:3], np.load(other.images.images).shape[1:3]) == (
        (SIDE, SIDE),
        (8, 16),
    )
    np.testing.assert_array_equal(np.load(str(own.images.labels)), np.load(str(other.images.labels)))
    assert np.load(other.noise).shape[1:] == (8, 16, 1)
    assert own.calibration.n == other.calibration.n
    (note,) = resize_notes(sizes.request, by_size)
    assert "at 8x16 they were resized" in note
    for ours, theirs in zip(np.load(own.images.images), np.load(other.images.images), strict=True):
        resized = Image.fromarray(ours[..., 0]).resize((16, 8), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(theirs[..., 0], np.asarray(resized))


def test_photos_need_no_file_of_another_size(sizes: InputSizes, tmp_path: Path) -> None:
    for number, image in enumerate(_pictures(0, 9)[0]):
        folder = tmp_path / "photos" / f"{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
    photos = str(tmp_path / "photos")
    assert sizes.resized((8, 16), photos, "test", "") == photos


def test_a_size_that_the_network_cannot_have_is_refused(sizes: InputSizes, tmp_path: Path) -> None:
    """Before any image is read."""
    _network(layers.Flatten(name="rows"), layers.Dense(CLASSES, name="scores")).save(tmp_path / "flat.keras")
    model = ModelRequest(str(tmp_path / "flat.keras"))
    facts = sizes.source.run(ReadModelFacts(model=model))
    wanted = replace(sizes.request, model=model, data="none.npz")
    with pytest.raises(UsageError, match=r"input size 8x16.*layer scores \(Dense\), behind rows \(Flatten\)"):
        replace(sizes, request=wanted, facts=facts).prepared()


def test_the_models_own_size_is_no_other(sizes: InputSizes) -> None:
    space = replace(sizes.request.space, input_size=((12, 12), None, (8, 8)), epochs=(1, 2))
    wanted = replace(sizes.request, space=space)
    assert fitting(wanted, sizes.facts).space.input_size == (None, (8, 8))
    assert fitting(wanted, sizes.facts).space.epochs == (0,)
    trained = replace(wanted, training=Training(data="train.npz"))
    assert fitting(trained, sizes.facts).space.epochs == (1, 2)


@pytest.mark.slow
def test_a_search_over_sizes_gives_points_that_can_be_made_again(
    request_: SearchRequest, tmp_path: Path
) -> None:
    space = Space(
        input_size=(None, (8, 8)), pruning=("none", "channel"), amount=(0.3,), epochs=(1,), scheme=("int8",)
    )
    training = Training(
        data=request_.data.replace("data.npz", "train.npz"), batch_size=16, learning_rate=0.01
    )
    wanted = replace(request_, space=space, training=training, trials=4)
    with Workspace(tmp_path / "out", writer="search") as workspace:
        result = search(wanted, workspace, silent)
        write_frontier(result, workspace.folder)
        workspace.publish()
    tried = {one.configuration.input_size for one in result.trials if one.state in ("complete", "worse")}
    assert tried == {None, (8, 8)}
    assert not [one.reason for one in result.trials if one.state == "failed"]
    own = Workspace(tmp_path / "out", writer="search", overwrite=True)  # all of it is known to be a search's
    assert own.out == tmp_path / "out"
    small = [point for point in result.points if point.configuration.input_size]
    assert small  # a third of the pixels: faster beyond chance, or the search would have lost it
    folder = tmp_path / "out" / "inputs" / "8x8"
    assert [step.step for step in read_sidecar(folder / "net.keras").steps] == ["rebuild"]
    for point in small:
        report = json.loads((tmp_path / "out" / point.folder / "report.json").read_text())
        assert report["model"]["input_shape"] == [8, 8, 1]
        place = tmp_path / "out" / point.folder
        for word in report["inputs"].values():
            assert (place / word).exists()
        here = tmp_path / f"again {point.number}"
        here.mkdir()
        for line in point.commands:
            _, *words = shlex.split(line)
            ended = subprocess.run([sys.executable, "-m", "resnet_edge", *words], check=False, cwd=here)
            assert ended.returncode in (0, 5)  # 5: so few images prove little
        (again,) = (here / "dist").glob("*.tflite")
        assert again.read_bytes() == (place / point.file).read_bytes()
