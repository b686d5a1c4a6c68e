"""Runs in the parent. The processes of one training, as their parents see each other.

JAX ends a process in an abort where another one does not come or goes away, and on a GPU it may wait for that
one for ever. So the parents, which compute nothing, keep a connection of their own: each of them to that of
process 0, a line of JSON at a time. What they say is whether one is there, has failed, or is done; that one
is gone is what the end of its connection says.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

import msgspec

from resnet_edge import __version__
from resnet_edge.core.errors import PeerLost, ResnetEdgeError, UsageError, WorkerFailed
from resnet_edge.training.devices import Devices, process_name
from resnet_edge.workers.progress import OnProgress, underway

WAIT = 120.0
"""Seconds in which all processes are started."""
SETTLE = 5.0
"""Seconds in which the reason comes why another process does not answer any more."""
PAUSE = 0.2
"""Seconds between two tries to reach process 0."""
AGAIN = "start all of them again, which go on behind the last whole epoch"
LONGEST = 1 << 16
"""Bytes of a line; what is longer is none of ours."""
QUIET = ((4, 10), (5, 5), (6, 4))
"""TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT of Linux (netinet/tcp.h): a machine that says nothing any more is
gone after 10 + 4 * 5 seconds."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one parent says to another: `join` what it is, `go` that all are there, `value` that `size` bytes
    follow, `failed` with what is said of it, `done`."""

    state: Literal["join", "go", "value", "failed", "done"]
    size: int = 0
    resnet_edge: str = ""
    processes: int = 0
    index: int = 0
    command: str = ""
    text: str = ""


class _Peer:
    """A connection to another parent."""

    def __init__(self, connection: socket.socket, name: str = "") -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in QUIET if hasattr(socket, "TCP_KEEPIDLE") else ():
            connection.setsockopt(socket.IPPROTO_TCP, option, seconds)
        self._connection, self.name, self._buffer = connection, name, b""

    def send(self, line: Line, value: bytes = b"") -> None:
        """One that is gone hears nothing."""
        with suppress(OSError):
            self._connection.sendall(msgspec.json.encode(line) + b"\n" + value)

    def receive(self, seconds: float | None = None) -> Line | None:
        """None: it is gone, says nothing for so long, or nothing of ours."""
        with suppress(OSError):
            self._connection.settimeout(seconds)
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST or not self._more():
                return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return msgspec.json.decode(line, type=Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def read(self, size: int) -> bytes:
        """What follows a line; less where it is gone."""
        while len(self._buffer) < size and self._more():
            pass
        value, self._buffer = self._buffer[:size], self._buffer[size:]
        return value

    def _more(self) -> bool:
        try:
            block = self._connection.recv(1 << 20)
        except OSError:
            return False
        self._buffer += block
        return bool(block)

    def close(self) -> None:
        """Also for a thread that waits for a line."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class Peers:
    """The other parents, watched until all is done."""

    def __init__(self, devices: Devices, peers: list[_Peer]) -> None:
        self._devices, self._peers = devices, peers
        self._on_lost: Callable[[], None] = lambda: None
        self.lost = ""
        """What happened to another process first."""
        self._news, self._lock = threading.Event(), threading.Lock()
        self._done: set[str] = set()
        self._over = False
        self._all_done = threading.Event()
        self._values: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for peer in peers:
            threading.Thread(target=self._watch, args=(peer,), daemon=True).start()

    def _watch(self, peer: _Peer) -> None:
        while (line := peer.receive()) is not None:
            if line.state == "done":
                with self._lock:
                    self._done.add(peer.name)
                    finished = len(self._done) == len(self._peers)
                if finished:
                    self._all_done.set()
            elif line.state == "value":
                self._values.put(peer.read(line.size))
            elif line.state == "failed":
                self._lose(line.text)
        if peer.name not in self._done:
            self._lose(f"{peer.name} went away: {AGAIN}")

    def _lose(self, text: str) -> None:
        with self._lock:
            if self.lost or self._over:
                return
            self.lost = text
        if self._devices.index == 0:
            self._tell(Line("failed", text=text))
        self._news.set()
        self._all_done.set()
        self._values.put(b"")
        self._on_lost()

    def watch(self, end: Callable[[], None]) -> None:
        """From now on `end` is called, in another thread, when one of them failed or is gone."""
        self._on_lost = end
        if self.lost:
            end()

    def _tell(self, line: Line) -> None:
        for peer in self._peers:
            peer.send(line)

    def share(self, value: bytes | None) -> bytes:
        """What process 0 has, in all; the others give None, and wait. Raises PeerLost."""
        if value is not None:
            for peer in self._peers:
                peer.send(Line("value", size=len(value)), value)
            return value
        received = self._values.get()
        if self.lost:
            raise PeerLost(self.lost)
        return received

    def finish(self) -> None:
        """This process is done; the files are those of process 0, so that the others wait for it. Raises
        PeerLost."""
        self._tell(Line("done"))
        if self._devices.index:
            self._all_done.wait()
        with self._lock:
            self._over = True
            lost = self.lost
        if lost and self._devices.index:
            raise PeerLost(lost)

    def explain(self, error: BaseException) -> ResnetEdgeError | None:
        """What to say instead of `error`, where that came of another process; where it did not, the others
        are told of it."""
        if _of_another(error):
            self._news.wait(SETTLE)
        if self.lost and isinstance(error, PeerLost | WorkerFailed):
            return PeerLost(self.lost)
        text = f"interrupted; {AGAIN}" if isinstance(error, KeyboardInterrupt) else str(error)
        with self._lock:
            self._over = True  # who hears of it ends, and is not lost
        self._tell(Line("failed", text=f"{self._devices.process}: {text}"))
        return None


def _close(peers: list[_Peer]) -> None:
    for peer in peers:
        peer.close()


def _of_another(error: BaseException) -> bool:
    """Whether it may be that another process ended; JAX aborts where its own service says so."""
    return isinstance(error, PeerLost) or (isinstance(error, WorkerFailed) and "SIGABRT" in str(error))


@contextmanager
def together(devices: Devices, command: str, on_progress: OnProgress) -> Iterator[Peers]:
    """Within, all processes of the training are there, and watched; all run `command` (`train`, `prune`).
    Raises PeerLost where they do not come in time, or one of them fails; UsageError where they do not fit
    together."""
    with ExitStack() as stack:
        joined: list[_Peer] = []
        stack.callback(_close, joined)
        if devices.processes > 1:
            ours = Line(
                "join",
                resnet_edge=__version__,
                processes=devices.processes,
                index=devices.index,
                command=command,
            )
            note = f"{devices.process} waits up to {WAIT:g} s for the others"
            with underway("processes", note, on_progress):
                (_gather if devices.index == 0 else _join)(devices, ours, joined)
        peers = Peers(devices, joined)
        try:
            yield peers
        except BaseException as error:
            if (explained := peers.explain(error)) is not None:
                raise explained from error
            raise
        peers.finish()


def _gather(devices: Devices, ours: Line, joined: list[_Peer]) -> None:
    """Process 0: listen until all others are there."""
    until = time.monotonic() + WAIT
    with _listening(devices) as listener:
        while missing := _missing(devices, joined):
            listener.settimeout(max(0.01, until - time.monotonic()))
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                raise PeerLost(
                    f"{' and '.join(missing)} did not come within {WAIT:g} s: start all of them, on each "
                    f"machine the same command with its own --process-index"
                ) from None
            if (peer := _admitted(_Peer(connection), ours, joined)) is not None:
                joined.append(peer)
    for peer in joined:
        peer.send(Line("go"))


def _missing(devices: Devices, joined: list[_Peer]) -> list[str]:
    names = [process_name(index, devices.processes) for index in range(1, devices.processes)]
    return [name for name in names if name not in {peer.name for peer in joined}]


@contextmanager
def _listening(devices: Devices) -> Iterator[socket.socket]:
    host, port = devices.address
    with ExitStack() as stack:
        try:
            family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listener = stack.enter_context(socket.socket(family, kind, number))
            # JAX listens at the same port afterwards, while the connections that began here go on.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except (OSError, UnicodeError) as error:
            raise UsageError(
                f"--coordinator {devices.coordinator}: process 0 cannot listen there ({error}): give an "
                "address of this machine and a free port; each other process has a --process-index of its "
                "own, from 1"
            ) from error
        yield listener


def _admitted(peer: _Peer, ours: Line, joined: list[_Peer]) -> _Peer | None:
    """A process that fits; None: something else has connected. Raises UsageError where it does not fit, and
    tells it and the others so."""
    line = peer.receive(SETTLE)
    if line is None or line.state != "join":
        peer.close()
        return None
    if wrong := _misfit(line, ours, {each.name for each in joined}):
        for each in (*joined, peer):
            each.send(Line("failed", text=wrong))
        peer.close()
        raise UsageError(wrong)
    peer.name = process_name(line.index, ours.processes)
    return peer


def _misfit(line: Line, ours: Line, names: set[str]) -> str:
    """What is wrong with a process that comes; "" where it fits."""
    if line.resnet_edge != ours.resnet_edge:
        return (
            f"process {line.index} has resnet-edge {line.resnet_edge}, and process 0 has {ours.resnet_edge}: "
            "install the same version"
        )
    if line.processes != ours.processes:
        return (
            f"--processes is {ours.processes} for process 0, and {line.processes} for process "
            f"{line.index}: give all the same"
        )
    name = process_name(line.index, ours.processes)
    if line.index == 0 or name in names:
        return f"{name} is there twice: give each its own --process-index"
    if line.command != ours.command:
        return f"process 0 runs {ours.command}, and {name} {line.command}: give all the same command"
    return ""


def _join(devices: Devices, ours: Line, joined: list[_Peer]) -> None:
    """Another process: reach process 0, and wait until it says that all are there."""
    until = time.monotonic() + WAIT
    peer = _Peer(_connected(devices, until), process_name(0, devices.processes))
    joined.append(peer)
    peer.send(ours)
    line = peer.receive(2 * WAIT)  # process 0 may have been started last, and has as long for the others
    if line is None:
        raise PeerLost(
            f"{peer.name} went away before all were there, or what answers at --coordinator "
            f"{devices.coordinator} is another program: see what process 0 says, and start all again"
        )
    if line.state == "failed":
        raise UsageError(line.text)


def _connected(devices: Devices, until: float) -> socket.socket:
    while True:
        try:
            return socket.create_connection(devices.address, timeout=max(0.01, until - time.monotonic()))
        except (OSError, UnicodeError) as error:
            if time.monotonic() + PAUSE > until:
                raise PeerLost(
                    f"--coordinator {devices.coordinator} does not answer within {WAIT:g} s ({error}): start "
                    "process 0 there, with --process-index 0, and see that no firewall is in between"
                ) from error
            time.sleep(PAUSE)
