"""What is visible beside DIR, in every way that a run can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError, OutputError, WorkerFailed
from resnet_edge.core.files.overwrite import DOCUMENTS, Writer
from resnet_edge.core.files.scratch import sweep
from resnet_edge.core.files.workspace import Workspace


def beside(out: Path) -> list[str]:
    return sorted(entry.name for entry in out.parent.iterdir())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "dist"


def test_nothing_is_there_before_the_run_begins(out: Path) -> None:
    Workspace(out)
    assert beside(out) == []


def test_a_finished_run_leaves_dir_alone(out: Path) -> None:
    with Workspace(out) as workspace:
        workspace.write("labels.txt", "één\n")
        (workspace.logs / "a.log").write_text("noise")
        assert not out.exists()
        assert workspace.publish() == out
    assert beside(out) == ["dist"]
    assert (out / "labels.txt").read_text("utf-8") == "één\n"
    assert not workspace.scratch.exists()


def test_dir_has_the_permissions_that_mkdir_gives(out: Path) -> None:
    before = os.umask(0o027)
    try:
        with Workspace(out) as workspace:
            workspace.publish()
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o750


def test_two_runs_do_not_make_one_folder(out: Path) -> None:
    """The second says so, and takes nothing from the first, whose logs it once removed."""
    with Workspace(out) as first:
        (first.logs / "a.log").write_text("noise")
        with pytest.raises(OutputError, match=f"another run is writing {out}: wait"), Workspace(out):
            pass
        assert (first.logs / "a.log").is_file()
        first.publish()
    assert beside(out) == ["dist"]


def test_a_partial_run_keeps_its_logs_and_replaces_an_earlier_one(out: Path) -> None:
    for text in ("first", "second"):
        with Workspace(out) as workspace:
            (workspace.folder / "report.json").write_text(text)
            (workspace.logs / "a.log").write_text(text)
            workspace.publish_partial()
    assert beside(out) == ["dist.logs", "dist.partial"]
    assert (out.with_name("dist.partial") / "report.json").read_text() == "second"
    assert (out.with_name("dist.logs") / "a.log").read_text() == "second"


@pytest.mark.parametrize(
    ("error", "left"), [(DataError("x"), []), (KeyboardInterrupt(), []), (WorkerFailed("x"), ["dist.logs"])]
)
def test_a_failed_run_leaves_at_most_its_logs(out: Path, error: BaseException, left: list[str]) -> None:
    def fail() -> None:
        with Workspace(out) as workspace:
            (workspace.logs / "a.log").write_text("noise")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert beside(out) == left


def test_dir_that_appears_in_the_meantime_is_not_replaced(out: Path) -> None:
    with Workspace(out) as workspace:
        out.mkdir()
        (out / "theirs").write_text("")
        with pytest.raises(OutputError, match="remove what is there"):
            workspace.publish()
    assert beside(out) == ["dist"]
    assert (out / "theirs").exists()


def test_an_adopted_file_takes_the_place_of_its_namesake(out: Path) -> None:
    with Workspace(out) as workspace:
        workspace.write("a.tflite", "old")
        (workspace.scratch / "a.tflite").write_text("new")
        adopted = workspace.adopt(workspace.scratch / "a.tflite")
        assert adopted == workspace.folder / "a.tflite"
        workspace.publish()
    assert (out / "a.tflite").read_text() == "new"


def test_a_file_that_cannot_be_adopted_is_an_output_error(out: Path) -> None:
    with Workspace(out) as workspace, pytest.raises(OutputError, match=r"a\.tflite cannot be written beside"):
        workspace.adopt(workspace.scratch / "a.tflite")


KILLED = """
import os, signal, sys
from pathlib import Path
from resnet_edge.core.files.workspace import Workspace
with Workspace(Path(sys.argv[1])) as workspace:
    workspace.write("labels.txt", "half")
    print(workspace.scratch, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_what_a_killed_one_left(out: Path, tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(out)], env=env, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    (unfinished,) = out.parent.glob(".dist.*.unfinished")
    users = out.with_name(".dist.mine.unfinished")
    users.mkdir()
    with Workspace(out) as alive:
        assert not unfinished.exists()
        with pytest.raises(OutputError, match="another run is writing"), Workspace(out.with_name("dist")):
            pass
        assert alive.folder.exists()  # of a run that lives
        alive.publish()
    assert beside(out) == [users.name, "dist"]
    assert [entry.name for entry in out.iterdir()] == []
    sweep(tmp_path)
    assert not Path(done.stdout.strip()).exists()


def an_earlier_run(out: Path) -> None:
    out.mkdir()
    (out / "report.json").write_text('{"schema": 1, "artifacts": []}')
    (out / "labels.txt").write_text("old")


def test_an_earlier_run_stays_until_the_new_one_is_whole(out: Path) -> None:
    an_earlier_run(out)
    with Workspace(out, overwrite=True) as workspace:
        workspace.write("labels.txt", "new")
        assert (out / "labels.txt").read_text() == "old"
        workspace.publish()
    assert beside(out) == ["dist"]
    assert [entry.name for entry in out.iterdir()] == ["labels.txt"]
    assert (out / "labels.txt").read_text() == "new"


@pytest.mark.parametrize("writer", ["convert", "package"])
def test_what_a_partial_run_left_is_in_the_way_of_no_other(out: Path, writer: Writer) -> None:
    for _ in range(2):
        with Workspace(out, writer=writer) as workspace:
            (workspace.folder / DOCUMENTS[writer]).write_text("{}")
            workspace.publish_partial()
    with pytest.raises(OutputError, match=r"dist\.partial is in the way"):
        Workspace(out, writer="package" if writer == "convert" else "convert")


def test_a_run_that_fails_or_is_partial_replaces_nothing(out: Path) -> None:
    an_earlier_run(out)
    with pytest.raises(DataError), Workspace(out, overwrite=True):
        raise DataError("x")
    assert beside(out) == ["dist"]
    with Workspace(out, overwrite=True) as workspace:
        workspace.publish_partial()
    assert (out / "labels.txt").read_text() == "old"


def test_what_came_into_dir_in_the_meantime_is_not_replaced(out: Path) -> None:
    an_earlier_run(out)
    with Workspace(out, overwrite=True) as workspace:
        (out / "thesis.txt").write_text("ten years")
        with pytest.raises(OutputError, match=r"holds thesis\.txt"):
            workspace.publish()
    assert (out / "thesis.txt").read_text() == "ten years"
    assert beside(out) == ["dist"]


def test_where_the_new_one_cannot_be_named_the_old_one_comes_back(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_earlier_run(out)
    rename = os.replace

    def fails_for_the_new(source: Path, to: Path) -> None:
        if source.name.endswith(".unfinished"):
            raise OSError(5, "Input/output error")
        rename(source, to)

    with Workspace(out, overwrite=True) as workspace:
        monkeypatch.setattr(os, "replace", fails_for_the_new)
        with pytest.raises(OutputError, match="Input/output error"):
            workspace.publish()
    assert (out / "labels.txt").read_text() == "old"
    assert beside(out) == ["dist"]


KILLED_WHILE_PUBLISHING = """
import os, signal, sys
from pathlib import Path
from resnet_edge.core.files.workspace import Workspace
renamed, rename = [], os.replace

def rename_and_die(source, to):
    rename(source, to)
    renamed.append(to)
    if len(renamed) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

with Workspace(Path(sys.argv[1]), overwrite=True) as workspace:
    workspace.write("labels.txt", "new")
    workspace.write("report.json", '{"schema": 1, "artifacts": []}')
    os.replace = rename_and_die
    workspace.publish()
"""


@pytest.mark.parametrize("renames", [1, 2])
def test_the_next_run_clears_up_behind_one_that_was_killed_between_two_names(
    out: Path, tmp_path: Path, renames: int
) -> None:
    """Behind the first the earlier folder is hidden and nothing has its name; behind the second both are
    there, and the lock lies in the new one."""
    an_earlier_run(out)
    command = [sys.executable, "-c", KILLED_WHILE_PUBLISHING, str(out), str(renames)]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert out.exists() is (renames == 2)
    # Several, as a folder is listed in no order: ours is hardly the first of them.
    theirs = [out.with_name(f".dist.0123abc{digit}.replaced") for digit in range(8)]
    for folder in theirs:
        folder.mkdir()
        (folder / "thesis.txt").write_text("ten years")
    with Workspace(out, overwrite=True) as workspace:
        assert (out / "labels.txt").read_text() == ("new" if renames == 2 else "old")
        workspace.write("labels.txt", "newer")
        workspace.publish()
    assert beside(out) == [*(folder.name for folder in theirs), "dist"]
    assert [entry.name for entry in out.iterdir()] == ["labels.txt"]


def test_an_earlier_folder_that_comes_back_is_not_replaced_unasked(out: Path) -> None:
    an_earlier_run(out)
    out.rename(out.with_name(".dist.0123abcd.replaced"))
    with pytest.raises(OutputError, match="give --overwrite"), Workspace(out):
        raise AssertionError
    assert beside(out) == ["dist"]
