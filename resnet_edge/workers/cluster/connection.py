"""The cluster, seen from the parent: one process beside it that speaks with Ray (`drive`)."""

from __future__ import annotations

import itertools
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.core.errors import KINDS, ClusterUnavailable, MissingDependency
from resnet_edge.core.files.scratch import Scratch
from resnet_edge.core.machine import versions
from resnet_edge.core.packages import missing_package
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.messages import ClusterNode, DriverReply, DriverRequest, Identity
from resnet_edge.workers.environment import worker_environment

JOIN_SECONDS = 180.0
"""For Ray to be imported and joined, and for all machines to answer."""
LEAVE_SECONDS = 30.0
"""For all machines to remove what they have of the run."""


class ClusterConnection:
    """Use as a context manager; leaving it leaves the cluster, on which nothing stays of this run.

    `log` takes what Ray prints. `nodes` are the machines, once `join` came back, and those that come later
    and do something of this run; `run` names this run on the cluster, and below `token` are the paths of its
    tasks (`messages.NodeCall`). Raises MissingDependency where Ray is not installed, ClusterUnavailable.
    """

    def __init__(self, address: ClusterAddress, log: Path) -> None:
        self.address, self.log = address, log
        self.run, self.token = secrets.token_hex(8), f"/resnet-edge-{secrets.token_hex(16)}"
        self.nodes: tuple[ClusterNode, ...] = ()
        self._ids = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[DriverReply | None]] = {}
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._over = False
        _check_installed()
        self._scratch = Scratch()
        try:
            self._start()
        except BaseException:
            self._scratch.remove()
            raise
        threading.Thread(target=self._listen, daemon=True).start()

    def _start(self) -> None:
        own = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
        self._channel, theirs = socket.socketpair()
        try:
            with self.log.open("ab") as sink:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "resnet_edge.workers.cluster.drive", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    pass_fds=[theirs.fileno()],
                    env=worker_environment(self._scratch.path, own),
                    start_new_session=True,  # Ctrl-C is the parent's to understand
                )
        except OSError as error:
            self._channel.close()
            raise ClusterUnavailable(
                f"the process that speaks with Ray cannot be started: {error}"
            ) from error
        finally:
            theirs.close()

    def join(self, identity: Identity) -> None:
        """Raises ClusterUnavailable."""
        order = DriverRequest(order="join", address=self.address.word, run=self.run, identity=identity)
        try:
            answer = self._answer_to(order, JOIN_SECONDS)
        except queue.Empty as error:
            raise ClusterUnavailable(
                f"{self.address.word} did not answer in {JOIN_SECONDS:.0f} s (full log: {self.log}): see "
                "that `ray status` answers there"
            ) from error
        except ClusterUnavailable as error:
            if refused(self.log):
                raise ClusterUnavailable(
                    f"{self.address.word} asks for a token, and it is not the one of this machine: put "
                    "that of the cluster into ~/.ray/auth_token, or name its file with RAY_AUTH_TOKEN_PATH"
                ) from error
            raise
        self.nodes = tuple(answer.nodes or ())

    @property
    def ended(self) -> bool:
        """Whether the process that speaks with Ray is gone."""
        return self._process.poll() is not None

    def call(self, order: DriverRequest) -> DriverReply:
        """The end of a call. Raises ClusterUnavailable, and what else the driver has to say."""
        answer = self._answer_to(order, None)
        with self._lock:
            self.nodes += tuple(answer.nodes or ())
        return answer

    def cancel(self, id: int) -> None:
        """Have a call ended; it is answered all the same."""
        self._send(DriverRequest(order="cancel", id=id))

    def new_id(self) -> int:
        """Of a call."""
        return next(self._ids)

    def _answer_to(self, order: DriverRequest, seconds: float | None) -> DriverReply:
        box: queue.SimpleQueue[DriverReply | None] = queue.SimpleQueue()
        with self._lock:
            if self._over:
                raise self._gone()
            self._waiting[order.id] = box
        try:
            self._send(order)
            answer = box.get(timeout=seconds)
        finally:
            with self._lock:
                self._waiting.pop(order.id, None)
        if answer is None:
            raise self._gone()
        if answer.error is not None:
            raise KINDS.get(answer.error, ClusterUnavailable)(answer.text)
        return answer

    def _send(self, order: DriverRequest) -> None:
        line = msgspec.json.encode(order) + b"\n"
        with self._sending, suppress(OSError):  # it is gone; reading tells
            self._channel.sendall(line)

    def _listen(self) -> None:
        with suppress(OSError, ValueError, msgspec.DecodeError):
            for line in self._channel.makefile("rb"):
                answer = msgspec.json.decode(line, type=DriverReply)
                with self._lock:
                    box = self._waiting.get(answer.id)
                if box is not None:
                    box.put(answer)
        with self._lock:
            self._over = True
            for box in self._waiting.values():
                box.put(None)

    def _gone(self) -> ClusterUnavailable:
        return ClusterUnavailable(
            f"{self.address.word} went away (full log: {self.log}): see `ray status`, and run again; what is "
            "done stays"
        )

    def close(self) -> None:
        """Leave the cluster: its machines remove what they have of this run."""
        if self._process.poll() is None:
            self._send(DriverRequest(order="leave"))
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_SECONDS)
        finally:  # an interrupt may come in between
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._channel.close()
            self._scratch.remove()

    def __enter__(self) -> ClusterConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def kinds(nodes: Sequence[ClusterNode]) -> dict[str, tuple[str, ...]]:
    """Of each machine what decides how it computes: the architecture, the processor and what that can do with
    integers."""
    return {one.node: kind_of(one.machine) for one in nodes}


def kind_of(machine: Mapping[str, Any]) -> tuple[str, ...]:
    """Of what core.machine.machine tells."""
    flags = map(str, machine.get("int8_flags", ()))
    return str(machine.get("architecture")), str(machine.get("cpu")), *flags


def _check_installed() -> None:
    if "ray" not in versions():
        raise MissingDependency(missing_package("ray") or "")


def refused(log: Path) -> bool:
    """Whether Ray printed that a token is wrong or missing: its error says only that it did not connect."""
    with suppress(OSError):
        said = log.read_bytes()
        return b"InvalidAuthToken" in said or b"Unauthenticated" in said or b"authentication token" in said
    return False
