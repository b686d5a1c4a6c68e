"""Our default files on every pinned runtime that is here: right, or refused, and never wrong in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.backends._pinned_environment import runtimes
from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency
from resnet_edge.data.load import load
from tests.backends.museum import Cell, table
from tests.cli.conversion import Place

pytestmark = pytest.mark.slow

N = 20
"""Where the last layer's scales were read as one for all, 17 of 200 answers were right."""
OPENS = {
    "fp32.tflite": ("tflite@2.5", "tflite@2.7", "tflite@2.10", "tflite@2.14"),
    "fp32.onnx": ("onnxruntime@1.12", "onnxruntime@1.16"),
}
"""What has always been opened, so that a table of refusals does not pass."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `convert` makes where nobody says otherwise, and `package` of it, in `bundle`."""
    place = Place(tmp_path_factory.mktemp("convert"))
    ended = place.run("--out", "dist", "--latency-seconds", "0")
    assert ended.code == 0, ended.err
    place.command = "package"
    ended = place.run("dist", "--images", "100", "--profiles", "mcu,litert", "--out", "bundle")
    assert ended.code == 0, ended.err
    return place.here


@pytest.fixture(params=runtimes())
def name(request: pytest.FixtureRequest) -> str:
    try:
        registry.load("backends", request.param)
    except MissingDependency as error:
        pytest.skip(str(error))
    return str(request.param)


def cells_of(folder: Path, name: str) -> dict[str, Cell]:
    format = min(registry.load("backends", name).FORMATS)
    files = [*(folder / "dist").glob(f"*.{format}"), *(folder / "bundle/mcu").glob(f"*.{format}")]
    test = load("fashion-mnist", "test")
    assert test.labels is not None
    cells: dict[str, Cell] = {}
    for file in files:
        key = "mcu" if file.parent.name == "mcu" else file.name.partition(".")[2]
        cells[key] = table([file], [name], test.images[:N], test.labels[:N])[file.name, name]
    return cells


def test_no_default_file_is_wrong_in_silence(folder: Path, name: str) -> None:
    cells = cells_of(folder, name)
    assert len(cells) >= 3
    assert not {file: cell for file, cell in cells.items() if cell.wrong}
    assert all(not cells[file].refusal for file, names in OPENS.items() if name in names)
    assert all("\n" not in cell.refusal for cell in cells.values())


def test_package_tells_the_oldest_runtime_that_is_right(folder: Path) -> None:
    bundle = json.loads((folder / "bundle/bundle.json").read_text("utf-8"))
    here = [one for one in runtimes().values() if one.is_there()]
    if not any(one.runtime == "tflite" for one in here):
        pytest.skip("no pinned TensorFlow Lite is installed")
    oldest = next(one.name for one in here if one.runtime == "tflite")
    [file] = [path for path in bundle["oldest_runtimes"] if path.endswith("fp32.tflite")]
    assert bundle["oldest_runtimes"][file] == [oldest]
    assert f"`{file}`: `{oldest}`" in (folder / "bundle/README.md").read_text("utf-8")
    assert not [row for row in bundle["runtimes"] if row["status"] == "differs"]
