"""Metadata that others wrote, and what is told apart from damage."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.formats._metadata import schema
from resnet_edge.formats.tflite import read_metadata, write_metadata
from resnet_edge.graph.model import load_model, save_model
from tests.backends import rgb
from tests.formats.metadata.five_classes import GERMAN, GREY, LABELS


def test_a_file_without_metadata_has_none(folder: Path) -> None:
    assert read_metadata(folder / "fixed.tflite") is None


def test_metadata_of_another_writer_is_read(tmp_path: Path) -> None:
    """tests/backends/rgb.py writes by hand what MediaPipe needs, and no more."""
    rgb.write_all(tmp_path)
    metadata = read_metadata(tmp_path / "float32.tflite")
    assert metadata is not None
    assert (metadata.name, metadata.image.colour_space, metadata.image.width) == ("", "RGB", 0)
    assert (metadata.image.mean, metadata.image.std, metadata.image.value_range) == ((0.0,), (1.0,), None)
    assert metadata.scores.labels[0].labels == rgb.LABELS


def test_another_identifier_is_no_metadata_of_this_kind(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    model = load_model(out)
    entry = next(entry for entry in model.metadata if entry.name == schema.ENTRY.encode())
    buffer = model.buffers[entry.buffer]
    buffer.data = np.frombuffer(bytes(buffer.data).replace(b"M001", b"M999"), np.uint8)
    save_model(model, out)
    with pytest.raises(ArtifactError, match="M999"):
        read_metadata(out)


def test_metadata_of_something_else_than_a_classifier_is_no_damage(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    model = load_model(out)
    entry = next(entry for entry in model.metadata if entry.name == schema.ENTRY.encode())
    builder = flatbuffers.Builder()
    builder.StartObject(schema.MODEL.fields)
    builder.Finish(builder.EndObject(), schema.IDENTIFIER)
    model.buffers[entry.buffer].data = np.frombuffer(bytes(builder.Output()), np.uint8)
    save_model(model, out)
    with pytest.raises(ArtifactError, match="tells of 0 subgraphs: resnet-edge reads that of image"):
        read_metadata(out)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_lines_of_labels_end_as_any_editor_ends_them(folder: Path, tmp_path: Path, end: str) -> None:
    bare, out = tmp_path / "bare.tflite", tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, bare)
    model = load_model(bare)
    save_model(model, out)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as behind:
        for file in (LABELS, GERMAN):
            behind.writestr(file.name, (end or "\n").join(file.labels) + end)
    metadata = read_metadata(out)
    assert metadata is not None
    assert metadata.scores.labels == (LABELS, GERMAN)


@pytest.mark.parametrize("kept", [8, 100, 1000, 2000])
def test_a_file_that_is_cut_short_is_refused(folder: Path, tmp_path: Path, kept: int) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    out.write_bytes(out.read_bytes()[:kept])
    with pytest.raises(ArtifactError, match="damaged|cut short"):
        read_metadata(out)


def test_a_file_whose_labels_are_cut_off_is_damaged(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    whole = out.read_bytes()
    out.write_bytes(whole[:-40])
    with pytest.raises(ArtifactError, match="damaged metadata"):
        read_metadata(out)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_broken_in_it_is_told_as_damage(folder: Path, tmp_path: Path, seed: int) -> None:
    """Bytes of the metadata itself are overwritten at random: it is read, or it is an ArtifactError."""
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    model = load_model(out)
    entry = next(entry for entry in model.metadata if entry.name == schema.ENTRY.encode())
    random = np.random.default_rng(seed)
    raw = np.array(model.buffers[entry.buffer].data, np.uint8)
    raw[random.integers(0, len(raw), 12)] = random.integers(0, 256, 12)
    raw[4:8] = np.frombuffer(schema.IDENTIFIER, np.uint8)
    model.buffers[entry.buffer].data = raw
    save_model(model, out)
    with suppress(ArtifactError):
        read_metadata(out)
