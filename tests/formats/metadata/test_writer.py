"""TFLite metadata: written, read back, and without effect on what a model gives."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_edge.core.metadata import LabelFile, ModelMetadata
from resnet_edge.formats.tflite import read_metadata, write_metadata
from resnet_edge.graph.model import load_model
from tests.backends import tiny
from tests.formats.metadata.five_classes import GERMAN, GREY, INTEGER


@pytest.mark.parametrize(
    ("name", "metadata"), [("fixed", GREY), ("dynamic", GREY), ("int8", INTEGER), ("uint8", INTEGER)]
)
def test_what_is_written_is_read_back(
    folder: Path, tmp_path: Path, name: str, metadata: ModelMetadata
) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / f"{name}.tflite", metadata, out)
    assert read_metadata(out) == replace(metadata, min_parser_version="1.0.0")


def test_writing_again_replaces_it(folder: Path, tmp_path: Path) -> None:
    first, second, once = tmp_path / "1.tflite", tmp_path / "2.tflite", tmp_path / "3.tflite"
    write_metadata(folder / "fixed.tflite", replace(GREY, name="before"), first)
    write_metadata(first, GREY, second)
    metadata = read_metadata(second)
    assert metadata is not None
    assert metadata.name == "tiny"
    with zipfile.ZipFile(second) as behind:
        assert behind.namelist() == ["labels.txt", "labels_de.txt"]
    write_metadata(folder / "fixed.tflite", GREY, once)
    entries = [entry.name for entry in load_model(second).metadata]
    assert entries.count(b"TFLITE_METADATA") == 1


def test_the_same_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_metadata(folder / "int8.tflite", INTEGER, tmp_path / f"{name}.tflite")
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()


def test_label_files_lie_uncompressed_where_any_zip_reader_finds_them(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    with zipfile.ZipFile(out) as behind:
        assert behind.testzip() is None
        assert {info.compress_type for info in behind.infolist()} == {zipfile.ZIP_STORED}
        assert behind.read("labels_de.txt").decode() == "\n".join(GERMAN.labels)


def outputs(path: Path, images: NDArray[np.generic]) -> NDArray[np.generic]:
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    scores = []
    for image in images:
        interpreter.set_tensor(index, image[None])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(scores)


@pytest.mark.parametrize(("name", "metadata"), [("fixed", GREY), ("int8", INTEGER)])
def test_not_one_output_changes(folder: Path, tmp_path: Path, name: str, metadata: ModelMetadata) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / f"{name}.tflite", metadata, out)
    pixels = tiny.pixels(20)
    images = pixels.astype(np.float32) if name == "fixed" else (pixels.astype(int) - 128).astype(np.int8)
    before, after = outputs(folder / f"{name}.tflite", images), outputs(out, images)
    assert len(np.unique(before)) > 5
    np.testing.assert_array_equal(before, after)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12),
        min_size=5,
        max_size=5,
    ),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
)
def test_any_text_survives(folder: Path, tmp_path: Path, labels: list[str], text: str) -> None:
    metadata = replace(
        GREY, description=text, scores=replace(GREY.scores, labels=(LabelFile("l.txt", tuple(labels)),))
    )
    write_metadata(folder / "fixed.tflite", metadata, tmp_path / "out.tflite")
    assert read_metadata(tmp_path / "out.tflite") == replace(metadata, min_parser_version="1.0.0")


def test_constants_stay_aligned(folder: Path, tmp_path: Path) -> None:
    """Kernels of NPUs read them where they lie; the entry that tells the least runtime stays too."""
    out = tmp_path / "out.tflite"
    write_metadata(folder / "int8.tflite", INTEGER, out)
    model = tflite.Model.GetRootAsModel(out.read_bytes(), 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    assert {b._tab.Vector(b._tab.Offset(4)) % 16 for b in buffers if b.DataLength()} == {0}
    names = {model.Metadata(i).Name() for i in range(model.MetadataLength())}
    assert names >= {b"min_runtime_version", b"TFLITE_METADATA"}
