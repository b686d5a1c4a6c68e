"""Tests of training.recipe: what is refused before hours of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError, ResnetEdgeError, UsageError
from resnet_edge.core.sidecar import State
from resnet_edge.training.recipe import TrainResult, check_keras_output, check_not_the_model


def check(out: Path, *, overwrite: bool = False, resume: bool = False) -> None:
    check_keras_output(out, overwrite=overwrite, resume=resume)


def test_a_new_name_in_a_folder_is_fine(tmp_path: Path) -> None:
    check(tmp_path / "net.keras")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("net.h5", UsageError, r"net\.h5 must end in \.keras"),
        ("no/net.keras", OutputError, r"the folder .*no does not exist: make it first"),
        ("old.keras", OutputError, r"old\.keras exists"),
        ("beside.keras", OutputError, r"beside\.json exists: give --overwrite to replace it"),
        ("notes.keras", OutputError, r"notes\.json, where the sidecar of notes\.keras goes, is not ours"),
        ("broken.keras", OutputError, r"broken\.json, where the sidecar .* is not ours"),
    ],
)
def test_what_is_in_the_way_is_told(
    tmp_path: Path, name: str, error: type[ResnetEdgeError], message: str
) -> None:
    (tmp_path / "old.keras").write_bytes(b"a model")
    (tmp_path / "beside.json").write_text('{"steps": []}')
    (tmp_path / "notes.json").write_text('{"steps": "of a dance"}')
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(error, match=message):
        check(tmp_path / name)


def test_overwrite_takes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "net.keras").write_bytes(b"a model")
    (tmp_path / "net.json").write_text('{"steps": []}')
    check(tmp_path / "net.keras", overwrite=True)
    (tmp_path / "net.json").write_text("{}")
    with pytest.raises(OutputError, match="is not ours: move it or name another --out"):
        check(tmp_path / "net.keras", overwrite=True)


def test_the_model_is_never_written_to_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "net.keras").write_bytes(b"a model")
    (tmp_path / "link.keras").symlink_to("net.keras")
    check_not_the_model(tmp_path / "other.keras", str(tmp_path / "net.keras"))
    with pytest.raises(UsageError, match="is the model itself, which is never written to"):
        check_not_the_model(tmp_path / "link.keras", str(tmp_path / "net.keras"))


def state(images: str, top1: float | None) -> State:
    return State(
        sha256="",
        parameters=272_282,
        macs=None,
        file_bytes=1,
        gzip_bytes=1,
        top1=top1,
        n=0,
        images=images,
        images_sha256="",
    )


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (
            state("10,000 test images", 0.9412),
            ", top-1 held out 93.00 %, top-1 on 10,000 test images 94.12 %",
        ),
        (state("500 held-out images", 0.93), ", top-1 held out 93.00 %"),
        (state("", None), ", top-1 held out 93.00 %"),
    ],
)
def test_an_accuracy_is_told_once(after: State, text: str) -> None:
    assert TrainResult("net.keras", after, 0.93).sentence() == f"net.keras: 272,282 parameters{text}"
    assert "held out" not in TrainResult("net.keras", after, None).sentence()
