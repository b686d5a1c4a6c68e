"""Which artifacts a user named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.benchmarking.files import bench_files
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.files.bundled import MODEL_FILE, bundled


def folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_gives_its_artifacts_sorted_and_nothing_else(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path / "dist", "b.int8.tflite", "a.fp32.onnx", "labels.txt", "report.json", "C.ONNX"
    )
    (folder / "nested.onnx").mkdir()
    files = bench_files((folder,))
    assert [(file.name, file.format, file.scheme) for file in files] == [
        ("C.ONNX", "onnx", None),
        ("a.fp32.onnx", "onnx", "fp32"),
        ("b.int8.tflite", "tflite", "int8"),
    ]


def test_a_file_named_twice_is_timed_once(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "dist", "a.int8.onnx")
    assert len(bench_files((folder, folder / "a.int8.onnx"))) == 1


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = folder_with(tmp_path / "one", "a.int8.onnx"), folder_with(tmp_path / "other", "a.int8.onnx")
    names = [file.name for file in bench_files((one, other))]
    assert len(set(names)) == 2
    assert all(str(tmp_path) in name for name in names)


def test_what_is_no_artifact_is_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "empty", "notes.txt")
    with pytest.raises(ArtifactError, match="holds no artifact"):
        bench_files((folder,))
    with pytest.raises(ArtifactError, match="is no artifact"):
        bench_files((folder / "notes.txt",))
    with pytest.raises(UsageError, match="is not there"):
        bench_files((folder / "absent.onnx",))


def reported(folder: Path, source: str, sha256: str) -> Path:
    (folder / "report.json").write_text(json.dumps({"model": {"source": source, "sha256": sha256}}))
    return folder


def test_a_folder_brings_the_model_of_its_report_while_it_is_the_same(tmp_path: Path) -> None:
    model = folder_with(tmp_path / "models", "net.keras") / "net.keras"
    folder = reported(folder_with(tmp_path / "dist", "net.fp32.onnx"), str(model), sha256_of(model))
    assert [(file.name, file.format) for file in bench_files((folder,))] == [
        ("net.fp32.onnx", "onnx"),
        ("net.keras", "keras"),
    ]
    assert [file.brought for file in bench_files((folder,))] == [False, True]
    assert [file.brought for file in bench_files((folder, model))] == [False, False]
    assert [file.in_folder for file in bench_files((folder, model))] == [True, False]
    assert [file.in_folder for file in bench_files((folder, folder / "net.fp32.onnx"))][0] is False
    model.write_bytes(b"trained on")
    assert [file.name for file in bench_files((folder,))] == ["net.fp32.onnx"]
    model.unlink()
    assert [file.name for file in bench_files((folder,))] == ["net.fp32.onnx"]


def test_a_folder_of_the_bundled_model_brings_that(tmp_path: Path) -> None:
    model = bundled(MODEL_FILE)
    folder = reported(folder_with(tmp_path / "dist", "a.onnx"), f"{MODEL_FILE} (bundled)", sha256_of(model))
    assert [file.path for file in bench_files((folder,))][1:] == [model]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}', '{"model": {"source": 1, "sha256": null}}'])
def test_a_report_of_others_brings_nothing(tmp_path: Path, text: str) -> None:
    folder = folder_with(tmp_path / "dist", "a.onnx")
    (folder / "report.json").write_text(text)
    assert [file.name for file in bench_files((folder,))] == ["a.onnx"]
