"""Debian's real sshd on loopback, with a port and keys of its own, as another machine: what a user's ssh
configuration calls `pi4`. Its home is a temporary folder. Nothing of it outlives the test."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from resnet_edge.backends import _arm64_environment
from resnet_edge.core.errors import MissingDependency
from resnet_edge.hosts import ssh

SERVER = "/usr/sbin/sshd"
"""It starts itself anew for each connection, and so wants its absolute path."""
SEPARATION = Path("/run/sshd")
"""Where sshd puts the part of itself that has no rights; packages leave it to the start of the machine."""
NAME = "pi4"
MARK = "RESNET_EDGE_TEST_SSHD"
"""In the environment of whatever was started through the connection, by which it is known."""
STARTS_WITHIN = 20.0
PATH = "/usr/local/bin:/usr/bin:/bin"
"""As sshd sets it."""


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """A running sshd. `name` is that of its entry in the ssh configuration, `address` is user@address:port;
    `home` is the home of the user there, and `folder` holds keys, configuration and log."""

    name: str
    address: str
    listens: str
    port: int
    home: Path
    folder: Path
    mark: str
    server: psutil.Popen

    @property
    def environment(self) -> Path:
        """What `host prepare` makes."""
        return self.home / ssh.ENVIRONMENT

    def log(self) -> str:
        return (self.folder / "sshd.log").read_text()

    def running(self) -> list[psutil.Process]:
        """What was started through a connection, and still runs."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def commands(self) -> list[str]:
        """The command lines of what runs there; of what ends meanwhile there is none."""
        lines = []
        for process in self.running():
            with contextlib.suppress(psutil.Error):
                lines.append(" ".join(process.cmdline()))
        return lines

    def drop(self) -> None:
        """Every connection drops, as when a cable is pulled; what was started goes on. The server stays."""
        for connection in self._connections():
            with contextlib.suppress(psutil.NoSuchProcess):
                connection.kill()

    def freeze(self) -> None:
        """Every connection stays open and says nothing more, as of a machine that hangs."""
        for connection in self._connections():
            with contextlib.suppress(psutil.NoSuchProcess):
                connection.suspend()

    def _connections(self) -> Iterator[psutil.Process]:
        """The processes of sshd itself, of which each connection has one or two."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in self.server.children(recursive=True):
                if process.name().startswith("sshd") and not self._is_ours(process):
                    yield process

    def stop(self) -> None:
        """The machine goes away, with all that runs there."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.server.suspend()  # no new connection while the old ones end
        self.drop()
        with contextlib.suppress(psutil.NoSuchProcess):
            self.server.kill()
        self.server.wait()
        while running := self.running():  # killed together, and anew what they had just started
            for process in running:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(running, timeout=5)

    def change_host_key(self) -> None:
        """The user knows another key for it, as after the machine was set up anew."""
        _make_key(self.folder / "other_host_key")
        self._know((self.folder / "other_host_key.pub").read_text())

    def forget_host_key(self) -> None:
        """The user was never there."""
        (self.folder / "known_hosts").write_text("")

    def change_user_key(self) -> None:
        """The user's key is one that the machine does not know."""
        for file in ("user_key", "user_key.pub"):
            (self.folder / file).unlink()
        _make_key(self.folder / "user_key")

    def _know(self, public_key: str) -> None:
        (self.folder / "known_hosts").write_text(f"[{self.listens}]:{self.port} {public_key}")

    def _is_ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return bool(process.status() != psutil.STATUS_ZOMBIE) and process.environ().get(MARK) == self.mark
        return False


@contextlib.contextmanager
def running(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    path: str = PATH,
    mount: str = "",
    shell: str = "sh",
    home_name: str = "home",
    listens: str = "127.0.0.1",
) -> Iterator[Sshd]:
    """Starts it and has RESNET_EDGE_SSH name its configuration. `path` is the PATH there, `shell` the login
    shell, and `listens` its address; with options of `mount` every connection has a file system of its own as
    its home. Skips where there is no sshd."""
    if not Path(SERVER).is_file():
        pytest.skip(f"{SERVER} is not there: apt-get install openssh-server")
    folder.mkdir(parents=True)
    for key in ("host_key", "user_key"):
        _make_key(folder / key)
    home, mark = folder / home_name, uuid4().hex
    home.mkdir()
    _write_session(folder, mount, shell)
    server, port = _started(folder, f'"HOME={home}" "PATH={path}" "{MARK}={mark}"', listens)
    user = getpass.getuser()
    sshd = Sshd(
        name=NAME,
        address=f"{user}@{f'[{listens}]' if ':' in listens else listens}:{port}",
        listens=listens,
        port=port,
        home=home,
        folder=folder,
        mark=mark,
        server=server,
    )
    try:
        sshd._know((folder / "host_key.pub").read_text())
        config = folder / "config"
        config.write_text(
            f"Host {NAME} pi4.local\n  HostName {listens}\n  Port {port}\n  User {user}\n"
            f"Host *\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        )
        monkeypatch.setenv(ssh.VARIABLE, shlex.join(["ssh", "-F", str(config)]))
        yield sshd
    finally:
        sshd.stop()


def raspberry_programs(folder: Path) -> str:
    """A folder of programs with which a session is one of a Raspberry Pi: python3 is that of Debian for
    aarch64, emulated, and uname says so. Skips where the environment of the arm64 backends is not there."""
    try:
        _arm64_environment.require("litert_arm64", "ai-edge-litert", "litert")
    except MissingDependency as error:
        pytest.skip(str(error))  # the environment of `make extras`
    folder.mkdir(parents=True)
    place = _arm64_environment.folder()
    emulator = [str(place / "bin/qemu-aarch64"), "-cpu", _arm64_environment.CPU, "-L", str(place / "sysroot")]
    python = shlex.quote(str(place / "sysroot/usr/bin/python3"))
    # argv[0] is how Python knows itself, also where a virtual environment has a link to this script.
    _write_program(
        folder / "python3",
        f'exec {shlex.join(emulator)} -U LD_PRELOAD -U LD_LIBRARY_PATH -0 "$0" {python} "$@"',
    )
    _write_program(folder / "uname", 'case "$*" in -m) echo aarch64 ;; *) exec /usr/bin/uname "$@" ;; esac')
    return link_programs(folder)


def link_programs(folder: Path) -> str:
    """The programs of this machine but for its Pythons, and those that the folder has already."""
    for program in (each for place in PATH.split(":") for each in Path(place).iterdir()):
        link = folder / program.name
        if not program.name.startswith("python") and not link.exists():
            link.symlink_to(program)
    return str(folder)


def _write_session(folder: Path, mount: str, shell: str) -> None:
    """What a connection runs: the command that was sent, in the home, by the login shell."""
    run = f'cd "$HOME" && exec {shell} -c "$SSH_ORIGINAL_COMMAND"'
    if mount:
        apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
        if subprocess.run([*apart, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode:
            pytest.skip("this machine lets nobody mount a file system for a process alone (unshare)")
        mounted = f'mount -t tmpfs -o {shlex.quote(mount)} tmpfs "$HOME" && {run}'
        run = f"exec {shlex.join([*apart, mounted])}"
    _write_program(folder / "session", run)


def _started(folder: Path, environment: str, listens: str) -> tuple[psutil.Popen, int]:
    """sshd, listening, and its port. A free port may be taken by another before sshd has it."""
    if os.geteuid() == 0:
        SEPARATION.mkdir(mode=0o755, exist_ok=True)
    config = folder / "sshd_config"
    for _ in range(5):
        with socket.socket(socket.AF_INET6 if ":" in listens else socket.AF_INET) as free:
            free.bind((listens, 0))
            port = free.getsockname()[1]
        config.write_text(
            f"ListenAddress {listens}\nPort {port}\nHostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {folder}/user_key.authorized\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\nPidFile none\n"
            f"SetEnv {environment}\nForceCommand {folder}/session\n"
        )
        shutil.copy(folder / "user_key.pub", folder / "user_key.authorized")
        with (folder / "sshd.log").open("wb") as log:
            server = psutil.Popen(
                [SERVER, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if _listens(server, folder / "sshd.log"):
            return server, port
    raise AssertionError(f"sshd does not start: {(folder / 'sshd.log').read_text()}")


def _listens(server: psutil.Popen, log: Path) -> bool:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        if "Server listening on" in log.read_text():
            return True
        time.sleep(0.02)
    server.kill()
    server.wait()
    return False


def _make_key(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)


def _write_program(file: Path, body: str) -> None:
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
