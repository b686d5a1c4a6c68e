"""Scripts on a real host, and a making that breaks off: what was there stays, and nothing else does."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts import script, ssh
from resnet_edge.hosts.address import Host
from tests.hosts import sshd as servers
from tests.hosts.sshd import Sshd

CONTENT = b"a wheel" * 1000
NAME = f"{hashlib.sha256(CONTENT).hexdigest()}/pip-1-py3-none-any.whl"


def sender(content: bytes = CONTENT, then: Callable[[], None] = lambda: None) -> Callable[[BinaryIO], None]:
    def send(stream: BinaryIO) -> None:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            entry = tarfile.TarInfo(NAME)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
            then()

    return send


def make(
    name: str,
    send: Callable[[BinaryIO], None],
    python: str = "false",
    on_line: Callable[[str, str], None] = lambda key, value: None,
) -> None:
    arguments = (str(ssh.ENVIRONMENT), "cafe", python, "1", NAME, NAME)
    script.run(Host.parse(name), "prepare", *arguments, send=send, on_line=on_line)


def files(home: Path) -> list[str]:
    return sorted(
        path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_symlink() or path.is_file()
    )


def wait_until_nothing_runs(server: Sshd) -> None:
    end = time.monotonic() + 30
    while server.running():
        assert time.monotonic() < end, server.running()
        time.sleep(0.05)


@pytest.fixture
def older(sshd: Sshd) -> Path:
    """An environment that was made before."""
    folder = sshd.environment.with_name("host.beef.1")
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text("{}")
    sshd.environment.symlink_to(folder.name)
    return sshd.environment / "environment.json"


def test_lines_without_the_mark_are_not_ours(sshd: Sshd) -> None:
    (sshd.home / ".bashrc").write_text("echo Welcome; echo\n")
    assert script.run(Host.parse(sshd.name), "remove", "nowhere") == [("freed", "0")]


def test_an_environment_that_cannot_be_made_leaves_the_one_before(sshd: Sshd, older: Path) -> None:
    with pytest.raises(HostUnavailable, match=r"pi4: it did not work there \(it said nothing\)"):
        make(sshd.name, sender())
    assert older.read_text() == "{}"
    kept = f".cache/resnet-edge/host-wheels/{NAME}"  # a second time it is not copied
    assert files(sshd.home) == [kept, str(ssh.ENVIRONMENT), f"{ssh.ENVIRONMENT}.beef.1/environment.json"]
    wait_until_nothing_runs(sshd)


def test_what_arrives_damaged_is_not_kept(sshd: Sshd, older: Path) -> None:
    with pytest.raises(HostUnavailable, match="arrived damaged"):
        make(sshd.name, sender(CONTENT.replace(b"wheel", b"whale", 1)))
    assert len(files(sshd.home)) == 2


def test_a_connection_that_drops_while_files_are_copied(sshd: Sshd, older: Path) -> None:
    with pytest.raises(HostUnavailable, match="the connection ended"):
        make(sshd.name, sender(bytes(10 << 20), then=sshd.drop))
    wait_until_nothing_runs(sshd)
    assert len(files(sshd.home)) == 2
    assert older.read_text() == "{}"


def test_a_connection_that_drops_while_it_is_installed(sshd: Sshd, older: Path) -> None:
    python = sshd.home / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o755)

    def drop(key: str, value: str) -> None:
        if (key, value) == ("step", "install"):
            sshd.drop()

    with pytest.raises(HostUnavailable, match="the connection ended"):
        make(sshd.name, sender(), str(python), drop)
    wait_until_nothing_runs(sshd)
    assert [file for file in files(sshd.home) if "cafe" in file or "arriving" in file] == []
    assert older.read_text() == "{}"


def test_an_interrupt_ends_what_runs_there(sshd: Sshd) -> None:
    python = sshd.home / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o755)

    def interrupt(key: str, value: str) -> None:
        if (key, value) == ("step", "install"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(sshd.name, sender(), str(python), interrupt)
    wait_until_nothing_runs(sshd)
    assert not sshd.environment.exists()


def test_what_a_making_left_that_was_killed_is_swept(sshd: Sshd, older: Path) -> None:
    left = (
        sshd.environment.with_name("host.dead.999999999"),
        sshd.home / ".cache/resnet-edge/host-wheels/.arriving.999999999",
    )
    for folder in left:
        folder.mkdir(parents=True)
    with pytest.raises(HostUnavailable):
        make(sshd.name, sender())
    assert not any(folder.exists() for folder in left)
    assert older.is_file()


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        servers.running(tmp_path / "sshd", monkeypatch, mount="size=1m") as server,
        pytest.raises(HostUnavailable, match="there is no room in the home there"),
    ):
        make(server.name, sender(bytes(10 << 20)))


def test_a_home_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        servers.running(tmp_path / "sshd", monkeypatch, mount="ro") as server,
        pytest.raises(HostUnavailable, match="the home there cannot be written .*Read-only file system"),
    ):
        make(server.name, sender())


def test_there_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ssh.VARIABLE, "no-such-ssh")
    with pytest.raises(HostUnavailable, match="no-such-ssh is not on this machine"):
        script.run(Host.parse("pi4"), "remove", "nowhere")
