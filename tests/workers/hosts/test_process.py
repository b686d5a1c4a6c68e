"""Workers behind a real sshd."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_edge import __version__
from resnet_edge.core.errors import (
    DataError,
    HostUnavailable,
    OutputError,
    ResnetEdgeError,
    UsageError,
    WorkerFailed,
)
from resnet_edge.hosts.address import Host
from resnet_edge.workers.hosts.identity import code_digest
from resnet_edge.workers.hosts.process import HostProcess, digest_of
from resnet_edge.workers.progress import Progress
from tests.hosts.environment import stand_in
from tests.hosts.sshd import Sshd
from tests.workers.hosts.probes import Join

PI4 = Host.parse("pi4")


def files(folder: Path) -> tuple[str, str]:
    """Two that belong to each other, one larger than a frame."""
    folder.mkdir(exist_ok=True)
    first, second = folder / "a.bin", folder / "b.bin"
    first.write_bytes(b"\x00\xff\n" * 700_000)
    second.write_bytes(b"end")
    return str(first), str(second)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def join(where: Path, out: Path, then: str = "well") -> Join:
    return Join(files=files(where), out=str(out), then=then)


def test_files_go_there_and_come_back(host: Sshd, tmp_path: Path) -> None:
    progress: list[Progress] = []
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        reply = worker.run(join(tmp_path / "in", tmp_path / "out.bin"), progress.append)
    assert (reply.out, reply.beside) == (str(tmp_path / "out.bin"), ("a.bin", "b.bin"))
    assert Path(reply.out).read_bytes() == b"\x00\xff\n" * 700_000 + b"end"
    assert [each.step for each in progress] == ["join"]
    until(lambda: not host.running())
    assert not [*tmp_path.glob(".*unfinished")]


def test_a_second_run_copies_nothing(host: Sshd, tmp_path: Path) -> None:
    stored = host.home / ".cache" / "resnet-edge" / "host"

    def seen() -> set[tuple[str, int]]:
        return {(file.name, file.stat().st_ino) for file in stored.glob("??/*")}

    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        worker.run(join(tmp_path / "in", tmp_path / "one.bin"))
        before = seen()
        worker.run(join(tmp_path / "again", tmp_path / "two.bin"))  # other names, the same content
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        worker.run(join(tmp_path / "in", tmp_path / "three.bin"))
    assert seen() == before
    assert len(before) == 2
    assert (tmp_path / "three.bin").read_bytes() == (tmp_path / "one.bin").read_bytes()


def test_what_a_task_raises_there_is_raised_here_with_the_names_of_here(host: Sshd, tmp_path: Path) -> None:
    task = join(tmp_path / "in", tmp_path / "out.bin", "refuses")
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        with pytest.raises(DataError) as refused:
            worker.run(task)
        assert str(refused.value) == f"on pi4: {task.files[0]} does not fit {task.out}"
        worker.run(join(tmp_path / "in", tmp_path / "out.bin"))  # it goes on


def test_the_log_of_a_worker_that_broke_comes_here(host: Sshd, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with HostProcess("probe", log, PI4) as worker:
        with pytest.raises(WorkerFailed, match=rf"on pi4: probe broke: ValueError: .*full log: {log}"):
            worker.run(join(tmp_path / "in", tmp_path / "out.bin", "crashes"))
        worker.run(join(tmp_path / "in", tmp_path / "out.bin"))  # in a fresh process
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_nothing_is_left_running_there(host: Sshd, tmp_path: Path, how: str) -> None:
    raised: list[BaseException] = []
    worker = HostProcess("probe", tmp_path / "log", PI4)
    begun = threading.Event()

    def run() -> None:
        try:
            worker.run(join(tmp_path / "in", tmp_path / "out.bin", "sleeps"), lambda _: begun.set())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    until(lambda: len(host.running()) > 2)
    worker.close() if how == "closed" else host.drop()
    thread.join(30)
    until(lambda: not host.running())
    worker.close()
    (error,) = raised
    assert isinstance(error, HostUnavailable)
    assert "pi4" in str(error)
    assert not (tmp_path / "out.bin").exists()


def test_an_empty_file_and_a_name_that_is_no_file(host: Sshd, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    task = Join(files=(str(tmp_path / "empty"),), out=str(tmp_path / "out"), maybe="fashion-mnist")
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        assert worker.run(task).size == 0
    assert (tmp_path / "out").read_bytes() == b""


def test_a_folder_is_not_carried(host: Sshd, tmp_path: Path) -> None:
    with (
        HostProcess("probe", tmp_path / "log", PI4) as worker,
        pytest.raises(UsageError, match=r"is a folder, and only files are carried to a host"),
    ):
        worker.run(Join(files=(str(tmp_path),), out=str(tmp_path / "out")))


def test_a_host_without_an_environment(sshd: Sshd, tmp_path: Path) -> None:
    with pytest.raises(HostUnavailable, match=r"^pi4 is not prepared: resnet-edge host prepare pi4$"):
        HostProcess("probe", tmp_path / "log", PI4)


def test_a_host_with_other_code(sshd: Sshd, tmp_path: Path) -> None:
    greeting = '{"resnet_edge":"0.0.1","digest":"x","folder":"/"}'
    stand_in(sshd, f"echo 'resnet-edge host:{greeting}'; exit 0")
    wanted = r"^pi4 has resnet-edge 0\.0\.1, and this machine .*: resnet-edge host prepare pi4$"
    with pytest.raises(HostUnavailable, match=wanted):
        HostProcess("probe", tmp_path / "log", PI4)


def test_an_environment_that_does_not_start(sshd: Sshd, tmp_path: Path) -> None:
    stand_in(sshd, "echo 'ImportError: libc is too old' >&2; exit 1")
    wanted = (
        r"^pi4 cannot start its environment \(ImportError: libc is too old\): resnet-edge host prepare pi4$"
    )
    with pytest.raises(HostUnavailable, match=wanted):
        HostProcess("probe", tmp_path / "log", PI4)


def test_a_full_disk(sshd: Sshd, tmp_path: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*apart, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system for a process alone (unshare)")
    small = 'mount -t tmpfs -o size=900k tmpfs "$HOME/.cache" && exec "$0" "$@"'
    again = f'IN=1 exec {shlex.join([*apart, small])} "$0" "$@"'
    stand_in(sshd, f'if [ -z "$IN" ]; then mkdir -p "$HOME/.cache"; {again}; fi')
    wanted = r"^pi4: .*\.cache/resnet-edge/host there cannot be written \(No space left on device\)"
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        with pytest.raises(HostUnavailable, match=wanted):
            worker.run(join(tmp_path / "in", tmp_path / "out.bin"))
        (tmp_path / "small").write_bytes(b"1")
        few = Join(files=(str(tmp_path / "small"),), out=str(tmp_path / "out.bin"))
        assert worker.run(few).size == 1  # what did not arrive takes no room


def test_a_login_shell_that_chats(host: Sshd, tmp_path: Path) -> None:
    stand_in(host, "echo 'Welcome to pi4! 3 updates can be installed.'")
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        assert worker.run(join(tmp_path / "in", tmp_path / "out.bin")).size > 0


LIAR = """
import json, sys
def say(line, payload=b""):
    sys.stdout.buffer.write(line.encode() + b"\\n" + payload)
    sys.stdout.buffer.flush()
say("resnet-edge host:" + json.dumps({greeting!r}))
for line in sys.stdin.buffer:
    order = json.loads(line)
    sys.stdin.buffer.read(order.get("bytes", 0))
    if order["order"] == "have":
        say({have!r})
    elif order["order"] == "call":
        say(*{call!r})
"""
NOTHING_MISSING = '{"missing":[]}'
NO_ANSWER = r"^pi4 says what is no answer"


@pytest.mark.parametrize(
    ("have", "call", "error"),
    [
        ('{"missing":["' + "f" * 64 + '"]}', (), NO_ANSWER),
        ('{"bytes":1000000000000000}', (), NO_ANSWER),
        (NOTHING_MISSING, ('{"reply":{"out":"x","size":NaN,"beside":[]}}',), NO_ANSWER),
        (NOTHING_MISSING, ('{"bytes":1,"last":true,"written":"/x/out/etc"}', b"1"), "that nobody asked for"),
        (NOTHING_MISSING, ('{"reply":5}',), "sent no Joined"),
        (NOTHING_MISSING, ('{"error":"SystemExit","text":"\\u001b[2J"}',), r"^on pi4: \\x1b\[2J$"),
    ],
)
def test_a_host_that_lies(
    sshd: Sshd, tmp_path: Path, have: str, call: tuple[str | bytes, ...], error: str
) -> None:
    greeting = {"resnet_edge": __version__, "digest": code_digest(), "folder": "/x"}
    (tmp_path / "liar.py").write_text(LIAR.format(greeting=greeting, have=have, call=call))
    stand_in(sshd, f"exec {shlex.quote(sys.executable)} {shlex.quote(str(tmp_path / 'liar.py'))}")
    with (
        HostProcess("probe", tmp_path / "log", PI4) as worker,
        pytest.raises(ResnetEdgeError, match=error),
    ):
        worker.run(join(tmp_path / "in", tmp_path / "out.bin"))
    assert {each.name for each in tmp_path.iterdir()} == {"sshd", "liar.py", "log", "in"}


def test_a_file_that_cannot_be_written_here(host: Sshd, tmp_path: Path) -> None:
    (tmp_path / "out.bin").mkdir()
    (tmp_path / "out.bin" / "full").touch()
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        with pytest.raises(OutputError, match=r"out\.bin cannot be written \(Is a directory\)"):
            worker.run(join(tmp_path / "in", tmp_path / "out.bin"))
        assert worker.run(join(tmp_path / "in", tmp_path / "other.bin")).size > 0  # it goes on


def test_a_file_that_was_taken_away(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\): it goes to a host"):
        digest_of(str(tmp_path / "gone"))


@pytest.mark.slow
def test_a_machine_that_hangs_is_noticed(host: Sshd, tmp_path: Path) -> None:
    """ssh asks three times (ServerAliveInterval), 15 s in all."""
    with HostProcess("probe", tmp_path / "log", PI4) as worker:
        worker.run(join(tmp_path / "in", tmp_path / "out.bin"))
        host.freeze()
        with pytest.raises(HostUnavailable, match=r"^pi4 went away"):
            worker.run(join(tmp_path / "in", tmp_path / "out.bin"))
