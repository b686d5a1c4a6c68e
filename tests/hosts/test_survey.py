"""What is seen of a real host over a real ssh."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.core.results.host import LARGEST_SKEW_SECONDS
from resnet_edge.hosts import ssh
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.prepare import remove
from resnet_edge.hosts.survey import survey
from tests.hosts import sshd as servers
from tests.hosts.sshd import Sshd


def programs(folder: Path, **bodies: str) -> str:
    """A PATH of this machine's programs without its Pythons, and with scripts in place of some."""
    folder.mkdir()
    for name, body in bodies.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return servers.link_programs(folder)


def test_a_machine_like_this_one(sshd: Sshd) -> None:
    if shutil.which("python3", path=servers.PATH) is None:
        pytest.skip("this machine has no python3 of its own")
    state = survey(Host.parse(sshd.name))
    assert (state.host, state.system, state.machine) == ("pi4", "Linux", platform.machine())
    assert (state.environment, state.kept, state.writable) == (None, frozenset(), True)
    assert state.free_bytes == pytest.approx(shutil.disk_usage(sshd.home).free, rel=0.2)
    assert abs(state.clock_ahead_seconds) < LARGEST_SKEW_SECONDS
    assert state.pythons
    assert {each.libc for each in state.pythons} == {os.confstr("CS_GNU_LIBC_VERSION")}
    assert all(each.markers["sys_platform"] == "linux" for each in state.pythons)
    assert list(sshd.home.iterdir()) == []
    assert state.taken_bytes == 0


def test_what_was_brought_there_is_counted_as_it_would_be_freed(sshd: Sshd) -> None:
    for folder in (".cache/resnet-edge/host/aa", f"{ssh.ENVIRONMENT}.cafe.1", ".cache/other"):
        (sshd.home / folder).mkdir(parents=True)
        (sshd.home / folder / "file").write_bytes(os.urandom(1 << 20))
    sshd.environment.symlink_to("host.cafe.1")
    taken = survey(Host.parse(sshd.name)).taken_bytes
    assert 2 << 20 <= taken < 2.2 * (1 << 20)
    assert abs(remove(Host.parse(sshd.name)).freed_bytes - taken) < 1 << 16


def test_a_machine_without_python_whose_clock_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = programs(tmp_path / "bin", date='echo "1000000000"')
    with servers.running(tmp_path / "sshd", monkeypatch, path=path) as server:
        state = survey(Host.parse(server.name))
    assert state.pythons == ()
    assert state.clock_ahead_seconds < -LARGEST_SKEW_SECONDS


def test_a_python_in_the_home_and_one_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("python3", path=servers.PATH)
    if real is None:
        pytest.skip("this machine has no python3 of its own")
    path = programs(tmp_path / "bin", **{"python3.11": "exit 127", "python3": "echo no JSON"})
    with servers.running(tmp_path / "sshd", monkeypatch, path=path) as server:
        folder = server.home / ".local/bin"
        folder.mkdir(parents=True)
        (folder / "python3").symlink_to(real)
        state = survey(Host.parse(server.name))
    assert [each.path for each in state.pythons] == [f"{server.home}/.local/bin/python3"]


def test_an_environment_of_another_form_counts_as_none(sshd: Sshd) -> None:
    sshd.environment.mkdir(parents=True)
    for text in ("nonsense", '{"resnet_edge": 1}'):
        (sshd.environment / "environment.json").write_text(text)
        assert survey(Host.parse(sshd.name)).environment is None


def test_a_login_that_runs_no_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.running(tmp_path / "sshd", monkeypatch) as server:
        session = server.folder / "session"
        session.write_text("#!/bin/sh\necho This account is for git alone\n")
        with pytest.raises(HostUnavailable, match="its login shell runs no command"):
            survey(Host.parse(server.name))


def test_a_home_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.running(tmp_path / "sshd", monkeypatch, mount="ro") as server:
        assert not survey(Host.parse(server.name)).writable


@pytest.mark.slow
def test_a_raspberry(raspberry: Sshd) -> None:
    state = survey(Host.parse(raspberry.name))
    (python,) = state.pythons
    assert (state.machine, python.machine, python.problem) == ("aarch64", "aarch64", "")
    assert python.libc.startswith("glibc 2.")
