"""TFLite metadata: written, read back, told apart from damage, and without effect on what a model gives."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tflite
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError, DataError
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.formats._metadata import schema
from resnet_edge.formats.tflite import read_metadata, write_metadata
from resnet_edge.graph.model import load_model, save_model
from tests.backends import rgb, tiny

LABELS = LabelFile("labels.txt", ("Zebra", "Äpfel", "東京", "a b", "🚲"))
GERMAN = LabelFile("labels_de.txt", ("Zebra", "Äpfel", "Tokio", "a b", "Rad"), "de")
GREY = ModelMetadata(
    name="tiny",
    description="Five classes, größer als nichts",
    version="1.2.3",
    author="someone",
    license="Apache-2.0",
    image=ImageInput(
        name="image",
        description="raw pixels",
        width=8,
        height=8,
        colour_space="GRAYSCALE",
        mean=(0.0,),
        std=(1.0,),
    ),
    scores=ScoreOutput("logits", "one score for each class", (LABELS, GERMAN), None),
)
INTEGER = replace(GREY, image=replace(GREY.image, mean=(), std=()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny")
    tiny.write_tflite(made)
    return made


@pytest.mark.parametrize(
    ("name", "metadata"), [("fixed", GREY), ("dynamic", GREY), ("int8", INTEGER), ("uint8", INTEGER)]
)
def test_what_is_written_is_read_back(
    folder: Path, tmp_path: Path, name: str, metadata: ModelMetadata
) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / f"{name}.tflite", metadata, out)
    assert read_metadata(out) == replace(metadata, min_parser_version="1.0.0")


def test_a_file_without_metadata_has_none(folder: Path) -> None:
    assert read_metadata(folder / "fixed.tflite") is None


def test_writing_again_replaces_it(folder: Path, tmp_path: Path) -> None:
    first, second, once = tmp_path / "1.tflite", tmp_path / "2.tflite", tmp_path / "3.tflite"
    write_metadata(folder / "fixed.tflite", replace(GREY, name="before"), first)
    write_metadata(first, GREY, second)
    found = read_metadata(second)
    assert found is not None
    assert found.name == "tiny"
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
    found = []
    for image in images:
        interpreter.set_tensor(index, image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(found)


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


def with_labels(*files: LabelFile) -> ModelMetadata:
    return replace(GREY, scores=replace(GREY.scores, labels=files))


def with_image(**changes: object) -> ModelMetadata:
    return replace(GREY, image=replace(GREY.image, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (with_labels(LabelFile("labels.txt", LABELS.labels[:4])), "has 4 labels, and the file gives 5"),
        (with_labels(LabelFile("labels.txt", ("a", "b", " ", "d", "e"))), "label 3 is empty"),
        (with_labels(LabelFile("labels.txt", ("a", "b\nc", "c", "d", "e"))), "label 2"),
        (with_labels(LABELS, replace(GERMAN, name="labels.txt")), "2 label files have the name"),
        (with_labels(LABELS, replace(GERMAN, locale="")), "2 label files have the locale"),
        (with_labels(replace(LABELS, name="../labels.txt")), "without a folder"),
        (with_image(width=9), "9 x 8 pixels, and the file takes 8 x 8"),
        (with_image(colour_space="RGB"), "says RGB, and the file takes 1 channels"),
        (with_image(mean=()), "for each mean"),
        (with_image(mean=(), std=()), "without a mean"),
        (with_image(mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 1.0)), "no normalization by channel"),
        (with_image(std=(0.0,)), "above 0"),
        (replace(GREY, scores=replace(GREY.scores, name="")), "no name"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, metadata: ModelMetadata, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        write_metadata(folder / "fixed.tflite", metadata, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


def test_normalization_of_integers_is_refused_because_apps_ignore_it(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="apps ignore mean"):
        write_metadata(folder / "uint8.tflite", GREY, tmp_path / "out.tflite")


def test_classes_may_share_a_name_as_in_imagenet(folder: Path, tmp_path: Path) -> None:
    write_metadata(
        folder / "fixed.tflite",
        with_labels(LabelFile("l.txt", ("crane", "crane", "a", "b", "c"))),
        tmp_path / "o.tflite",
    )


def test_metadata_of_another_writer_is_read(tmp_path: Path) -> None:
    """tests/backends/rgb.py writes by hand what MediaPipe needs, and no more."""
    rgb.write_all(tmp_path)
    found = read_metadata(tmp_path / "float32.tflite")
    assert found is not None
    assert (found.name, found.image.colour_space, found.image.width) == ("", "RGB", 0)
    assert (found.image.mean, found.image.std, found.image.value_range) == ((0.0,), (1.0,), None)
    assert found.scores.labels[0].labels == rgb.LABELS


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
    found = read_metadata(out)
    assert found is not None
    assert found.scores.labels == (LABELS, GERMAN)


@pytest.mark.parametrize("kept", [8, 100, 1000, 2000])
def test_a_file_that_is_cut_short_is_refused(folder: Path, tmp_path: Path, kept: int) -> None:
    out = tmp_path / "out.tflite"
    write_metadata(folder / "fixed.tflite", GREY, out)
    out.write_bytes(out.read_bytes()[:kept])
    with pytest.raises(ArtifactError, match="damaged|cut short"):
        read_metadata(out)


def test_constants_stay_aligned(folder: Path, tmp_path: Path) -> None:
    """Kernels of NPUs read them where they lie; the entry that tells the least runtime stays too."""
    out = tmp_path / "out.tflite"
    write_metadata(folder / "int8.tflite", INTEGER, out)
    model = tflite.Model.GetRootAsModel(out.read_bytes(), 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    assert {b._tab.Vector(b._tab.Offset(4)) % 16 for b in buffers if b.DataLength()} == {0}
    names = {model.Metadata(i).Name() for i in range(model.MetadataLength())}
    assert names >= {b"min_runtime_version", b"TFLITE_METADATA"}


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
