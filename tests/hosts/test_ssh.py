"""OpenSSH's real client to a real sshd, and what its refusals mean."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts import ssh
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.survey import survey
from tests.hosts import sshd as servers
from tests.hosts.sshd import Sshd


def run(name: str, remote: list[str] | str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ssh.command(Host.parse(name), remote), input=stdin, capture_output=True, text=True, check=False
    )


def refusal(name: str) -> str:
    """What a user reads where ssh itself failed."""
    done = run(name, ["true"])
    assert done.returncode == ssh.FAILED
    error = ssh.unreachable(Host.parse(name), done.stderr)
    assert isinstance(error, HostUnavailable)
    return str(error)


def test_words_and_scripts_run_in_the_home_there(sshd: Sshd) -> None:
    words = ["printf", "%s|", "a b", "$HOME", "it's", "\n"]
    for name in (sshd.name, sshd.address):
        assert run(name, words).stdout == "a b|$HOME|it's|\n|"
    assert run(sshd.name, 'cat; pwd; echo "$HOME"', "stdin\n").stdout == f"stdin\n{sshd.home}\n{sshd.home}\n"
    assert run(sshd.name, "exit 7").returncode == 7


@pytest.mark.parametrize("shell", ["dash", "bash", "tcsh", "fish", "zsh"])
def test_any_login_shell_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """csh ends a quoted text with its line, and takes ! for history; fish has backslashes in quotes."""
    if shutil.which(shell, path=servers.PATH) is None:
        pytest.skip(f"{shell} is not installed")
    with servers.running(tmp_path / "sshd", monkeypatch, shell=shell) as server:
        words = ["it's", "!x", "\\n", "line\nline", "$HOME", "é%"]
        assert run(server.name, ["printf", "%s|", *words]).stdout == "".join(f"{word}|" for word in words)
        assert survey(Host.parse(server.name)).writable


def test_a_login_shell_that_runs_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        servers.running(tmp_path / "sshd", monkeypatch, shell="/usr/sbin/nologin") as server,
        pytest.raises(HostUnavailable, match="pi4: its login shell runs no command"),
    ):
        survey(Host.parse(server.name))


def test_an_address_of_ipv6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with servers.running(tmp_path / "sshd", monkeypatch, listens="::1") as server:
        assert re.fullmatch(r"\w+@\[::1\]:\d+", server.address)
        assert run(server.address, ["echo", "there"]).stdout == "there\n"
        server.stop()
        assert "no ssh server listens there" in refusal(server.address)


def test_a_host_key_that_changed(sshd: Sshd) -> None:
    sshd.change_host_key()
    assert "its key is not the one that you know" in refusal(sshd.name)
    for name in (sshd.name, sshd.address):
        assert f"`ssh-keygen -R [127.0.0.1]:{sshd.port}`" in refusal(name)


def test_a_host_key_that_is_not_known(sshd: Sshd) -> None:
    sshd.forget_host_key()
    assert f"run `ssh {sshd.name}` once" in refusal(sshd.name)
    assert f"run `ssh -p {sshd.port} {sshd.address.rpartition(':')[0]}` once" in refusal(sshd.address)
    assert (sshd.folder / "known_hosts").read_text() == ""


def test_a_key_that_is_refused(sshd: Sshd) -> None:
    sshd.change_user_key()
    assert "it lets you in with no key" in refusal(sshd.name)


def test_a_machine_that_is_gone(sshd: Sshd) -> None:
    sshd.stop()
    assert "no ssh server listens there" in refusal(sshd.name)


def test_a_name_that_is_no_machine(sshd: Sshd) -> None:
    assert "no machine has that name" in refusal("nobody.invalid")


def test_a_connection_that_drops(sshd: Sshd) -> None:
    with subprocess.Popen(
        ssh.command(Host.parse(sshd.name), "echo started; exec sleep 600"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "started\n"
        (sleeping,) = sshd.running()
        sshd.drop()
        _, said = client.communicate(timeout=30)
    assert client.returncode == ssh.FAILED
    assert "the connection ended" in str(ssh.unreachable(Host.parse(sshd.name), said))
    assert sleeping.is_running()
    sshd.stop()
    assert not sleeping.is_running()
    assert sshd.running() == []


@pytest.mark.slow
def test_a_machine_that_hangs_is_given_up(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ssh.VARIABLE, f"{os.environ[ssh.VARIABLE]} -o ServerAliveInterval=1")
    with subprocess.Popen(
        ssh.command(Host.parse(sshd.name), "echo started; exec sleep 600"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "started\n"
        sshd.freeze()
        _, said = client.communicate(timeout=60)
    assert client.returncode == ssh.FAILED
    assert "the connection ended" in str(ssh.unreachable(Host.parse(sshd.name), said))


def test_there_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ssh.VARIABLE, "no-such-ssh -F none")
    assert "no-such-ssh is not on this machine" in ssh.no_client()


@pytest.mark.slow
def test_the_raspberry_is_of_another_processor(raspberry: Sshd) -> None:
    program = "import os, platform, subprocess, sys; print(platform.machine(), sys.executable)"
    again = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {program!r}]))"
    assert run(raspberry.name, "uname -m").stdout == "aarch64\n"
    assert run(raspberry.name, ["python3", "-m", "venv", "--without-pip", "env"]).returncode == 0
    done = run(raspberry.name, ["env/bin/python", "-c", again])
    assert done.stdout == f"aarch64 {raspberry.home / 'env/bin/python'}\n", done.stderr


def test_nothing_is_left_of_a_server(sshd: Sshd) -> None:
    sshd.stop()
    assert not psutil.pid_exists(sshd.server.pid)
