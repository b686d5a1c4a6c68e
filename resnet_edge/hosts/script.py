"""A script of ours that runs on a host, by the POSIX shell there, and what it says.

Its lines begin with a mark: a login there may print what it likes."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts import ssh
from resnet_edge.hosts.address import Host

MARK = "resnet-edge:"
PROGRAMS = Path(__file__).parent / "_programs"
_NO_ROOM = ("No space left", "quota exceeded", "Wrote only")
"""As the system says it, and GNU tar of a file that was half written when the disk was full."""


def run(
    host: Host,
    name: str,
    *arguments: str,
    send: Callable[[BinaryIO], None] | None = None,
    on_line: Callable[[str, str], None] = lambda key, value: None,
) -> list[tuple[str, str]]:
    """The lines that `_programs/<name>.sh` printed there, each as its first word and the rest.

    `send` writes what it reads on stdin, which stays open until it ends. Raises HostUnavailable where ssh
    does not come through or the script fails; ends it where this process is interrupted."""
    body = (PROGRAMS / f"{name}.sh").read_text("utf-8")
    command = ssh.command(host, f"set -- {shlex.join(arguments)}\n{body}")
    lines = []
    with tempfile.TemporaryFile() as complaints, _started(command, complaints) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, and says why
            if send:
                send(cast(BinaryIO, process.stdin))
                process.stdin.flush()
        for line in process.stdout:
            text = line.decode("utf-8", "replace").strip()
            if text.startswith(MARK):
                key, _, value = text.removeprefix(MARK).partition(" ")
                lines.append((key, value))
                on_line(key, value)
        with suppress(BrokenPipeError):
            process.stdin.close()
        code = process.wait()
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace")
    if code == ssh.FAILED:
        raise ssh.unreachable(host, said)
    if code != 0 and not lines and not said.strip():
        raise runs_nothing(host)
    if code != 0:
        raise _failed(host, said)
    return lines


@contextmanager
def _started(command: list[str], complaints: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints)
    except OSError as error:
        raise HostUnavailable(ssh.no_client()) from error
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream:
                    stream.close()


def runs_nothing(host: Host) -> HostUnavailable:
    """What a login that lets nobody run a command is."""
    return HostUnavailable(
        f"{host.name}: its login shell runs no command: see that `ssh {host.name} echo works` prints works"
    )


def _failed(host: Host, said: str) -> HostUnavailable:
    """Why a script failed, by what it and its programs said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1].rstrip(".") if lines else "it said nothing"
    for line in lines:
        if any(words in line for words in _NO_ROOM):
            return HostUnavailable(
                f"{host.name}: there is no room in the home there: free some, and run the same again"
            )
        if "Read-only file system" in line or "Permission denied" in line:
            return HostUnavailable(
                f"{host.name}: the home there cannot be written ({line}): use an account whose home can be"
            )
    return HostUnavailable(f"{host.name}: it did not work there ({last}); nothing was changed")
