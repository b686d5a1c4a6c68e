"""Tests of search.point_inputs: which files stand beside the points of another size."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from resnet_edge.core.results.search import Configuration
from resnet_edge.data.images_task import Images
from resnet_edge.models import ModelRequest
from resnet_edge.searching.point_inputs import InputFiles, inputs_of
from resnet_edge.searching.sizes import AtSize, Size
from tests.searching.test_recipes import REQUEST

IMAGES = Images(images="", labels=None, n=1, class_names=(), source="", sha256="")


@dataclass
class _Networks:
    """Stands for the networks of a search, which write these images when something is trained."""

    file: str
    sizes: list[Size | None] = field(default_factory=list)

    def training_data(self, size: Size | None) -> str:
        self.sizes.append(size)
        return self.file


@pytest.fixture
def at(tmp_path: Path) -> AtSize:
    for name in ("network.keras", "network.json", "test.npz", "train.npz"):
        (tmp_path / name).write_text(name)
    return AtSize(
        model=ModelRequest(str(tmp_path / "network.keras")),
        images=IMAGES,
        calibration=IMAGES,
        noise="",
        data=str(tmp_path / "test.npz"),
        calibration_data="few.npz",  # photos, which stay where they are
        folder="",
    )


def _files(tmp_path: Path) -> tuple[InputFiles, _Networks]:
    networks = _Networks(str(tmp_path / "train.npz"))
    files = InputFiles(folder=tmp_path / ".out", out=Path("out"), networks=networks)  # type: ignore[arg-type]  # enough of it
    return files, networks


def test_the_network_and_what_were_arrays_are_copied_under_their_final_names(
    at: AtSize, tmp_path: Path
) -> None:
    files, _ = _files(tmp_path)
    configuration = Configuration(scheme="fp32", input_size=(20, 12), pruning="channel", amount=0.3, epochs=1)
    inputs = files.of(configuration, at, REQUEST, "net")
    folder = tmp_path / ".out" / "inputs" / "20x12"
    assert sorted(path.name for path in folder.iterdir()) == [
        "net.json",
        "net.keras",
        "test.npz",
        "train.npz",
    ]
    assert Path(inputs.data).read_text() == "test.npz"
    named = files.named(inputs)
    assert named.model == "out/inputs/20x12/net.keras"
    assert (named.data, named.training) == ("out/inputs/20x12/test.npz", "out/inputs/20x12/train.npz")
    assert named.calibration == "few.npz"


def test_training_images_are_written_where_something_is_trained(at: AtSize, tmp_path: Path) -> None:
    files, networks = _files(tmp_path)
    inputs = files.of(Configuration(scheme="fp32", input_size=(20, 12)), at, REQUEST, "net")
    assert inputs.training == "fashion-mnist"
    assert not networks.sizes
    files.of(Configuration(input_size=(20, 12), qat_epochs=1, scheme="int8"), at, REQUEST, "net")
    assert networks.sizes == [(20, 12)]


def test_at_the_models_own_size_there_are_none(at: AtSize, tmp_path: Path) -> None:
    files, _ = _files(tmp_path)
    assert files.of(Configuration(scheme="fp32"), at, REQUEST, "net") == inputs_of(REQUEST)
    assert not (tmp_path / ".out").exists()


def test_sizes_without_a_point_go(at: AtSize, tmp_path: Path) -> None:
    files, _ = _files(tmp_path)
    for size in ((20, 12), (8, 8)):
        files.of(replace(Configuration(scheme="fp32"), input_size=size), at, REQUEST, "net")
    assert files.listed((8, 8)) == ("inputs/8x8/net.json", "inputs/8x8/net.keras", "inputs/8x8/test.npz")
    assert files.listed(None) == ()
    files.keep({(8, 8)})
    assert [path.name for path in (tmp_path / ".out" / "inputs").iterdir()] == ["8x8"]
    files.keep(set())
    assert not (tmp_path / ".out" / "inputs").exists()
