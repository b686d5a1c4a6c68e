"""What stands beside --out while a model is trained, and in every way that it can end. Without training."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.training.unfinished import (
    RECIPE,
    checkpoint_folder,
    finished_file,
    left_behind,
    training_run,
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "net.keras"


def beside(out: Path) -> list[str]:
    return sorted(entry.name for entry in out.parent.iterdir())


def finish(out: Path, text: str = "model") -> None:
    """As a worker does."""
    (checkpoint_folder(out) / RECIPE).write_text("{}")
    finished_file(out).write_text(text)
    finished_file(out).with_suffix(".json").write_text("{}")


def test_what_is_finished_gets_its_name_and_nothing_else_is_left(out: Path) -> None:
    with training_run(out):
        finish(out)
        assert not out.exists()
    assert beside(out) == ["net.json", "net.keras"]


@pytest.mark.parametrize("error", [DataError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("work", [False, True])
def test_what_ends_early_leaves_at_most_its_work(out: Path, error: BaseException, work: bool) -> None:
    def end() -> None:
        with training_run(out):
            finish(out)
            if work:
                (checkpoint_folder(out) / "epoch-1.npz").touch()
            raise error

    with pytest.raises(type(error)):
        end()
    assert beside(out) == (["net.keras.checkpoint"] if work else [])
    assert ("keeps what is done" in left_behind(out)) is work


def test_what_a_killed_run_left_half_written_is_in_nobodys_way(out: Path) -> None:
    folder = checkpoint_folder(out)
    folder.mkdir()
    (folder / ".resnet-edge.0123abcd.unfinished").write_text("half a rec")
    with training_run(out):
        assert [*folder.iterdir()] == []
        finish(out)
    assert beside(out) == ["net.json", "net.keras"]


def test_what_a_killed_run_had_finished_is_not_taken_for_that_of_the_next(out: Path) -> None:
    checkpoint_folder(out).mkdir()
    finish(out, "old")
    with pytest.raises(OutputError, match="cannot give the finished model the name"), training_run(out):
        assert not finished_file(out).exists()
    assert not out.exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_not_ours_is_left_alone(out: Path, tmp_path: Path, kind: str) -> None:
    folder, theirs = checkpoint_folder(out), tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("ten years")
    if kind == "folder":
        theirs.rename(folder)
    elif kind == "link":
        folder.symlink_to(theirs)
    else:
        folder.write_text("ten years")
    before = beside(out)
    with pytest.raises(OutputError, match="is in the way"), training_run(out):
        raise AssertionError
    assert beside(out) == before


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "o.keras"
    with (
        pytest.raises(OutputError, match="another run is writing .*/o.keras: wait"),
        training_run(out),
        training_run(out),
    ):
        pass
    assert not checkpoint_folder(out).exists()
