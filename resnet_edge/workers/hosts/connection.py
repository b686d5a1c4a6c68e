"""One line to a host: ssh, with `serve` at its other end."""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from resnet_edge import __version__
from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts import ssh
from resnet_edge.hosts.address import Host
from resnet_edge.workers.hosts import frames
from resnet_edge.workers.hosts.frames import Greeting, HostReply, HostRequest
from resnet_edge.workers.hosts.identity import code_digest

PING = 5.0
"""Seconds between two signs of life."""
CHATTER = 1 << 20
"""Bytes that a login shell may say before `serve` does."""
START_SECONDS = 120.0
"""For ssh, and Python there, until it greets; an emulated one takes some seconds."""
UNWRITABLE = " there cannot be written ("
"""What `serve` says last where it has no folder to work in."""
UNPREPARED = 78
"""What the script ends with where there is no environment (EX_CONFIG of sysexits.h)."""


def _script() -> str:
    python = f'"$HOME"/{shlex.quote(str(ssh.ENVIRONMENT))}/bin/python'
    return (
        f"if [ -x {python} ]; then exec {python} -I -m resnet_edge.workers.hosts.serve; "
        f"else exit {UNPREPARED}; fi"
    )


class Connection:
    """Use `close`, whatever comes. `log` takes what ssh and the host print. Raises HostUnavailable."""

    def __init__(self, host: Host, log: Path) -> None:
        self.host, self._log = host, log
        self._sending = threading.Lock()
        self._over = threading.Event()
        self._said_before = log.stat().st_size if log.exists() else 0
        try:
            with log.open("ab") as sink:
                self._process = subprocess.Popen(
                    ssh.command(host, _script()),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=sink,
                    start_new_session=True,  # Ctrl-C is the parent's to understand
                )
        except OSError as error:
            raise HostUnavailable(ssh.no_client()) from error
        waiting = threading.Timer(START_SECONDS, self._process.kill)
        waiting.daemon = True
        waiting.start()
        self._calls = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        try:
            self.greeting = self._greeted()
            self._check()
        except BaseException:
            self.close()
            raise
        finally:
            waiting.cancel()
        threading.Thread(target=self._ping, daemon=True).start()

    def send(self, order: HostRequest, payload: bytes = b"") -> None:
        """Raises HostUnavailable where the host is gone."""
        try:
            with self._sending:
                frames.write(self._calls, order, payload)
        except (OSError, ValueError) as error:  # a closed pipe is a ValueError
            raise self._gone() from error

    def answers(self) -> Iterator[tuple[HostReply, bytes]]:
        """What comes, until somebody stops asking. Raises HostUnavailable where the host is gone."""
        while True:
            try:
                frame = frames.read(self._answers, HostReply)
            except frames.Broken as error:
                raise self.no_answer() from error
            except (OSError, ValueError) as error:
                raise self._gone() from error
            if frame is None:
                raise self._gone()
            yield frame

    def no_answer(self) -> HostUnavailable:
        """What the host says is none of what `serve` there would. It is over with it."""
        self.close()
        name = self.host.name
        return HostUnavailable(
            f"{name} says what is no answer (full log: {self._log}): see that `ssh {name} true` says nothing"
        )

    def close(self) -> None:
        """End ssh; the other end notices, and ends what it started."""
        self._over.set()
        self._process.kill()
        self._process.wait()
        for stream in (self._calls, self._answers):
            with suppress(OSError, ValueError):
                stream.close()

    def _greeted(self) -> Greeting:
        """Raises HostUnavailable."""
        heard = 0
        while line := self._answers.readline(CHATTER):
            heard += len(line)
            if line.startswith(frames.GREETING.encode()):
                with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    return msgspec.json.decode(line[len(frames.GREETING) :], type=Greeting)
                break
            if heard > CHATTER:
                break
        raise self._gone()

    def _check(self) -> None:
        """Raise HostUnavailable where the host runs other code."""
        greeting, name = self.greeting, self.host.name
        if (greeting.resnet_edge, greeting.digest) != (__version__, code_digest()):
            theirs = greeting.resnet_edge
            what = f"resnet-edge {theirs}" if theirs != __version__ else f"other code of resnet-edge {theirs}"
            raise HostUnavailable(
                f"{name} has {what}, and this machine {__version__}: resnet-edge host prepare {name}"
            )

    def _gone(self) -> HostUnavailable:
        """Why the host is gone, by how ssh ended and what it said."""
        name = self.host.name
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return self.no_answer()
        said = self._said()
        if self._over.is_set():
            return HostUnavailable(f"{name}: the run is over")
        if code == UNPREPARED:
            return HostUnavailable(f"{name} is not prepared: resnet-edge host prepare {name}")
        if code == ssh.FAILED and not hasattr(self, "greeting"):
            return ssh.unreachable(self.host, said)
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
        because = f" ({last.rstrip('.')})" if last else ""
        if not hasattr(self, "greeting"):
            if UNWRITABLE in last:
                return HostUnavailable(f"{name}: {last}")
            return HostUnavailable(
                f"{name} cannot start its environment{because}: resnet-edge host prepare {name}"
            )
        return HostUnavailable(
            f"{name} went away{because}: see that it is on and reached, and run again; what is done stays"
        )

    def _said(self) -> str:
        with suppress(OSError), self._log.open("rb") as stream:
            stream.seek(self._said_before)
            return stream.read().decode(errors="replace")
        return ""

    def _ping(self) -> None:
        while not self._over.wait(PING):
            with suppress(HostUnavailable):
                self.send(HostRequest(order="ping"))
