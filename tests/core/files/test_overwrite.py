"""What may be replaced, and by whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError, UsageError
from resnet_edge.core.files.overwrite import Writer, check_apart, check_new_folder, check_replaceable
from tests.report.searches import finished

REPORT = {"schema": 1, "artifacts": [{"file": "a.fp32.onnx"}]}
INDEX = {"schema": 1, "sha256": {"README.md": "0", "litert/a.tflite": "0"}}


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in ("a.fp32.onnx", "labels.txt", "report.md", "report.html"):
        (folder / name).write_text(name)
    (folder / "report.json").write_text(json.dumps(REPORT))
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "litert").mkdir(parents=True)
    (folder / "litert/a.tflite").write_text("")
    (folder / "README.md").write_text("")
    (folder / "bundle.json").write_text(json.dumps(INDEX))
    return folder


@pytest.mark.parametrize("out", ["", ".", "..", "/", "a/..", "./"])
def test_a_place_without_a_name_is_no_new_folder(out: str) -> None:
    with pytest.raises(UsageError, match="gives the new folder no name"):
        check_new_folder(Path(out))


def test_what_is_not_there_may_be_made_and_what_is_there_may_not(tmp_path: Path, converted: Path) -> None:
    check_replaceable(tmp_path / "new", "convert", overwrite=False)
    with pytest.raises(OutputError, match="exists and is a folder: give --overwrite"):
        check_replaceable(converted, "convert", overwrite=False)


def test_our_own_may_be_replaced(converted: Path, bundle: Path) -> None:
    check_replaceable(converted, "convert", overwrite=True)
    check_replaceable(bundle, "package", overwrite=True)


def test_nor_one_command_what_the_other_wrote(converted: Path, bundle: Path) -> None:
    others: tuple[tuple[Path, Writer], ...] = ((converted, "package"), (bundle, "convert"))
    for folder, writer in others:
        with pytest.raises(OutputError, match="did not write: it is not replaced"):
            check_replaceable(folder, writer, overwrite=True)


@pytest.mark.parametrize("stranger", ["notes.txt", "b.fp32.onnx", "deep/er/x", ".hidden"])
@pytest.mark.parametrize("writer", ["convert", "package"])
def test_a_folder_with_one_more_file_is_kept(
    converted: Path, bundle: Path, stranger: str, writer: Writer
) -> None:
    folder = converted if writer == "convert" else bundle
    (folder / stranger).parent.mkdir(parents=True, exist_ok=True)
    (folder / stranger).write_text("mine")
    with pytest.raises(OutputError, match=f"holds {stranger}, which"):
        check_replaceable(folder, writer, overwrite=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"schema": 1}',
        '{"schema": "1", "artifacts": []}',
        "[" * 100_000,
        '{"schema": 1, "artifacts": [3]}',
    ],
)
def test_a_report_that_is_none_of_ours_makes_no_folder_ours(converted: Path, text: str) -> None:
    (converted / "report.json").write_text(text)
    with pytest.raises(OutputError, match="did not write"):
        check_replaceable(converted, "convert", overwrite=True)


def test_links_are_neither_followed_nor_replaced(tmp_path: Path, converted: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(converted)
    with pytest.raises(OutputError, match="is a file"):
        check_replaceable(link, "convert", overwrite=True)
    (converted / "labels.txt").unlink()
    (converted / "labels.txt").symlink_to("/etc/hostname")
    with pytest.raises(OutputError, match=r"holds labels\.txt"):
        check_replaceable(converted, "convert", overwrite=True)


def test_what_is_written_takes_the_place_of_nothing_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    check_apart("--out", tmp_path / "dist", [tmp_path / "photos"])
    check_apart("--out", tmp_path / "photo", [tmp_path / "photos"])
    check_apart("--out", tmp_path / "photos" / "dist", [tmp_path / "photos"])
    (tmp_path / "link").symlink_to(tmp_path)
    for out in (tmp_path, tmp_path / "photos", tmp_path / "link"):
        with pytest.raises(UsageError, match="would take the place of .*photos, which is read"):
            check_apart("--out", out, [tmp_path / "photos"])


def test_what_a_search_left_may_be_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = finished(tmp_path / "frontier")
    check_replaceable(folder, "search", overwrite=True)
    others: tuple[Writer, ...] = ("convert", "package")
    for other in others:
        with pytest.raises(OutputError, match="did not write"):
            check_replaceable(folder, other, overwrite=True)
    for stranger in (
        "notes.txt",
        "points/14/mine.txt",
        "networks/14/mine.keras",
        "networks/03/resnet20.keras",
    ):
        path = folder / stranger
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        with pytest.raises(OutputError, match=f"holds {stranger}, which `resnet-edge search` did not write"):
            check_replaceable(folder, "search", overwrite=True)
        path.unlink()


def test_a_search_replaces_nothing_of_convert(converted: Path) -> None:
    with pytest.raises(OutputError, match="which `resnet-edge search` did not write"):
        check_replaceable(converted, "search", overwrite=True)


@pytest.mark.parametrize("points", [7, [{"folder": 3}], [{"folder": "/etc"}], [{"folder": "../dist"}], []])
def test_a_report_cannot_claim_what_is_elsewhere(tmp_path: Path, points: object) -> None:
    folder = tmp_path / "frontier"
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"schema": 1, "kind": "search", "points": points}))
    with pytest.raises(OutputError, match="did not write"):
        check_replaceable(folder, "search", overwrite=True)
