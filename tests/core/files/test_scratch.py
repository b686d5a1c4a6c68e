"""Tests of core.scratch: what goes, and above all what stays."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from resnet_edge.core.files import scratch
from resnet_edge.core.files.scratch import OWNER, Scratch, keep, remove, scratch_folder, sweep

KILLED = """
import os, signal, sys
from pathlib import Path
from resnet_edge.core.files.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.path / "deep" / "er").mkdir(parents=True)
(scratch.path / "link").symlink_to(sys.argv[2])
print(scratch.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_a_killed_run(place: Path, linked: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(place), str(linked)], capture_output=True, text=True
    )
    assert done.returncode == -9
    left = Path(done.stdout.strip())
    assert (left / "deep" / "er").is_dir()
    return left


def test_a_folder_goes_on_leaving_also_after_an_error(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "file").touch()
        raise KeyError

    with pytest.raises(KeyError), scratch_folder(tmp_path) as folder:
        fail(folder)
    assert [*tmp_path.iterdir()] == []


def test_several_threads_remove_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second closed the lock again, which was no number any more, or another file by then."""
    began = threading.Event()

    def slowly(folder: Path) -> None:
        began.set()
        time.sleep(0.2)
        remove(folder)

    monkeypatch.setattr(scratch, "remove", slowly)
    one = Scratch(tmp_path)
    first = threading.Thread(target=one.remove)
    first.start()
    began.wait()
    one.remove()
    assert not one.path.exists()
    first.join()


def test_a_sweep_takes_what_a_killed_run_left_and_nothing_else(tmp_path: Path) -> None:
    place, users = tmp_path / "temporary", tmp_path / "users"
    place.mkdir()
    users.mkdir()
    (users / "thesis.txt").write_text("of the user")
    left = left_by_a_killed_run(place, users)
    named = place / "resnet-edge-notes"  # called like ours, and not ours
    named.mkdir()
    (named / "file").touch()
    (place / "resnet-edge-link").symlink_to(left)
    other = place / "other"
    other.mkdir()
    (other / OWNER).touch()
    alive, kept = Scratch(place), Scratch(place)
    keep(kept.path)
    kept.remove()
    assert not left.exists()  # the first Scratch there has swept
    left = left_by_a_killed_run(place, users)
    sweep(place)
    assert not left.exists()
    assert {entry.name for entry in place.iterdir()} == {
        "resnet-edge-notes", "resnet-edge-link", "other", alive.path.name, kept.path.name
    }  # fmt: skip
    assert (users / "thesis.txt").exists()
    alive.remove()
    assert not alive.path.exists()


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """Others may write in the folder for temporary files, and call theirs what they like."""
    users = tmp_path / "users"
    users.touch()
    trap = tmp_path / "resnet-edge-trap"
    trap.mkdir()
    (trap / OWNER).symlink_to(users)
    sweep(tmp_path)
    assert trap.exists()
    assert users.exists()


def test_what_cannot_be_removed_yet_is_swept_later(tmp_path: Path) -> None:
    """The lock file goes last: a folder of which something stays is still known as ours."""
    scratch = Scratch(tmp_path)
    locked = scratch.path / "locked"
    locked.mkdir()
    (locked / "file").touch()
    locked.chmod(0)
    scratch.remove()
    if scratch.path.exists():  # not for the superuser, who may remove it all the same
        locked.chmod(0o700)
        sweep(tmp_path)
    assert not scratch.path.exists()


HIT = """
import signal, sys
from pathlib import Path
from resnet_edge.core.files import scratch
from resnet_edge.core.files.scratch import Scratch

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupt)
claim = scratch.claim

def hit_while_it_is_claimed(folder):
    signal.raise_signal(signal.SIGINT)
    return claim(folder)

scratch.claim = hit_while_it_is_claimed
try:
    Scratch(Path(sys.argv[1]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_leaves_no_folder_wherever_it_hits(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HIT, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")
    assert [*tmp_path.iterdir()] == []
