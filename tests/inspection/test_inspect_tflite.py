"""What stands in .tflite files of every precision, beside .onnx files of the same networks."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core import registry
from resnet_edge.formats.tflite import write_metadata
from resnet_edge.graph.macs import work_of
from resnet_edge.graph.model import load_model, save_model
from tests.backends import tiny
from tests.formats import nets
from tests.formats.metadata.five_classes import GREY, LABELS
from tests.graph.road import Road, road
from tests.inspection.looking import inspected, precisions

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MACS = {"conv": 8 * 8 * 3 * 3 * 4, "matrix": 4 * tiny.CLASSES}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Road:
    model = nets.residual_v1()
    return road(model, nets.images(model), tmp_path_factory.mktemp("residual"))


@pytest.mark.parametrize(
    ("name", "conv", "matrix", "precision"),
    [
        ("fixed.tflite", "CONV_2D", "FULLY_CONNECTED", "float32"),
        ("int8.tflite", "CONV_2D", "FULLY_CONNECTED", "int8"),
        ("fixed.onnx", "Conv", "MatMul", "float32"),
    ],
)
def test_layers_and_their_precision(files: Path, name: str, conv: str, matrix: str, precision: str) -> None:
    inspection = inspected(files / name)
    ops = precisions(inspection)
    assert ops[conv] == (precision, MACS["conv"])
    assert ops[matrix] == (precision, MACS["matrix"])
    assert inspection.macs_by_precision == {precision: sum(MACS.values())}


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize(
    ("scheme", "precision"),
    [
        ("fp32", {"tflite": "float32", "onnx": "float32"}),
        ("fp16", {"tflite": "float32 x float16", "onnx": "float16"}),
        ("int8", {"tflite": "int8", "onnx": "uint8 x int8"}),
        ("dynamic", {"tflite": "float32 x int8"}),
        ("int16x8", {"tflite": "int16 x int8"}),
    ],
)
def test_every_scheme_shows(
    format: str, scheme: str, precision: dict[str, str], residual: Road, tmp_path: Path
) -> None:
    if format not in precision:
        pytest.skip(f"{format} does not offer {scheme}")
    room, chosen = registry.load("formats", format), registry.load("schemes", scheme).SCHEME
    path = tmp_path / f"a{room.SUFFIX}"
    room.write(residual.portable(scheme), chosen, "a", path)
    inspection, work = inspected(path), work_of(path)
    assert set(inspection.macs_by_precision) == {precision[format]}
    assert sum(inspection.macs_by_precision.values()) == work.float_macs + work.int8_macs
    assert sum((inspection.parameter_bytes or {}).values()) == work.weight_bytes
    assert {each.op: each.count for each in inspection.ops or ()}.keys() == room.census(path).keys()
    assert sum(each.count for each in inspection.ops or ()) == sum(room.census(path).values())


def test_what_made_it(files: Path) -> None:
    assert inspected(files / "fixed.tflite").made_by[0] == "MLIR Converted."
    assert "asks for TensorFlow Lite 1." in inspected(files / "fixed.tflite").made_by[1]
    assert "operators of ai.onnx 17" in inspected(files / "fixed.onnx").made_by[-1]


def test_damaged_metadata_hides_nothing_else(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    write_metadata(files / "fixed.tflite", GREY, path)
    path.write_bytes(path.read_bytes()[:-40])
    inspection = inspected(path)
    assert inspection.metadata is None
    assert "damaged metadata" in inspection.metadata_damage
    assert not any("metadata" in warning for warning in inspection.warnings)
    assert inspection.macs_by_precision


def test_labels_of_a_foreign_file_are_counted(files: Path, tmp_path: Path) -> None:
    """Our writer refuses a wrong count; that of others does not."""
    out, other = tmp_path / "a.tflite", tmp_path / "b.tflite"
    write_metadata(files / "fixed.tflite", replace(GREY, scores=replace(GREY.scores, labels=(LABELS,))), out)
    save_model(load_model(out), other)
    with zipfile.ZipFile(other, "a") as behind:
        behind.writestr(LABELS.name, "a\nb")
    assert any("2 labels" in warning for warning in inspected(other).warnings)
