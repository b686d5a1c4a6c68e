"""Tests of training.peers: real connections between threads that stand for the parents."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from resnet_edge import __version__
from resnet_edge.core.errors import DataError, PeerLost, ResnetEdgeError, UsageError, WorkerFailed
from resnet_edge.training import peers
from resnet_edge.training.devices import ONE, Devices
from resnet_edge.training.peers import Peers, together
from resnet_edge.workers.progress import silent

Work = Callable[[Peers], object]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def run(port: int, *works: Work, processes: int | None = None) -> list[Future[object]]:
    """Each of `works` as a process of one training; how they ended."""

    def one(index: int, work: Work) -> object:
        devices = Devices(coordinator=f"127.0.0.1:{port}", processes=processes or len(works), index=index)
        with together(devices, "train", silent) as others:
            return work(others)

    with ThreadPoolExecutor(len(works)) as pool:
        # Process 0 last: the others wait for it.
        futures = [pool.submit(one, index, work) for index, work in reversed([*enumerate(works)])]
    return futures[::-1]


def failing(error: BaseException) -> Work:
    def work(others: Peers) -> None:
        raise error

    return work


def waiting(others: Peers) -> None:
    """As a parent waits for its worker, which is ended when another process is lost."""
    ended = threading.Event()
    others.watch(ended.set)
    assert ended.wait(20)
    raise WorkerFailed("training was ended by SIGKILL (full log: …)")


def text(future: Future[object], kind: type[ResnetEdgeError] = PeerLost) -> str:
    error = future.exception()
    assert type(error) is kind
    return str(error)


def test_alone_there_is_nobody_to_wait_for() -> None:
    with together(ONE, "train", silent) as others:
        assert others.share(b"x") == b"x"


def test_another_command_is_another_training(port: int) -> None:
    """Each would tell the other of options that it does not have."""

    def one(index: int) -> object:
        devices = Devices(coordinator=f"127.0.0.1:{port}", processes=2, index=index)
        with together(devices, ("train", "prune")[index], silent):
            pytest.fail("they have nothing in common")

    with ThreadPoolExecutor(2) as pool:
        ends: list[Future[object]] = [pool.submit(one, index) for index in (1, 0)]
    for end in ends:
        message = text(end, UsageError)
        assert message == "process 0 runs train, and process 1 of 2 prune: give all the same command"


def test_all_come_and_end_together(port: int) -> None:
    times = {}

    def last(others: Peers) -> bytes:
        time.sleep(0.3)
        value = others.share(b"net\nwork" * 100_000)
        times["written"] = time.monotonic()
        return value

    def early(others: Peers) -> bytes:
        return others.share(None)

    zero, one, two = run(port, last, early, early)
    assert zero.result() == one.result() == two.result() == b"net\nwork" * 100_000


def test_the_others_end_after_the_file_is_there(port: int, tmp_path: Path) -> None:
    def writing(others: Peers) -> None:
        time.sleep(0.3)
        (tmp_path / "net").touch()

    _, one = run(port, writing, lambda others: None)
    assert one.exception() is None
    assert (tmp_path / "net").exists()


def test_an_error_of_one_is_what_all_say(port: int) -> None:
    zero, one, two = run(port, waiting, failing(DataError("photos/ has no labels")), waiting)
    assert text(one, DataError) == "photos/ has no labels"
    assert text(zero) == text(two) == "process 1 of 3: photos/ has no labels"


def test_an_error_of_process_0_reaches_all(port: int) -> None:
    zero, one, _ = run(port, failing(KeyboardInterrupt()), waiting, waiting)
    assert isinstance(zero.exception(), KeyboardInterrupt)
    assert text(one) == (
        "process 0 of 3: interrupted; start all of them again, which go on behind the last whole epoch"
    )


def test_who_hears_first_of_an_error_and_ends_is_not_the_reason(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = peers._Peer.send

    def slow(peer: peers._Peer, line: peers.Line, value: bytes = b"") -> None:
        send(peer, line, value)
        if line.text.endswith("no room"):
            time.sleep(0.3)

    monkeypatch.setattr(peers._Peer, "send", slow)
    _, *others = run(port, failing(DataError("no room")), waiting, waiting)
    assert {text(one) for one in others} == {"process 0 of 3: no room"}


def test_a_process_0_that_fails_when_the_others_are_done_is_no_success(port: int) -> None:
    def late(others: Peers) -> None:
        time.sleep(0.3)
        raise WorkerFailed("no room")

    _, one = run(port, late, lambda others: None)
    assert text(one) == "process 0 of 2: no room"


def test_one_that_is_gone_is_named(port: int) -> None:
    def gone(others: Peers) -> None:
        peers._close(others._peers)
        time.sleep(0.5)

    zero, _ = run(port, waiting, gone)
    assert text(zero).startswith("process 1 of 2 went away: start all of them again")


def test_what_the_library_says_of_a_lost_process_waits_for_the_reason(port: int) -> None:
    """Gloo notices it before the parent of that process has said why."""

    def later(others: Peers) -> None:
        time.sleep(0.3)
        raise DataError("a damaged image")

    zero, _ = run(port, failing(PeerLost("another process does not answer any more")), later)
    assert text(zero) == "process 1 of 2: a damaged image"


def test_who_does_not_come_is_named(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "WAIT", 0.5)
    zero, one = run(port, waiting, waiting, processes=3)
    assert "process 2 of 3 did not come within 0.5 s: start all of them" in text(zero)
    assert text(one).startswith("process 0 of 3 went away before all were there, or what answers at ")


def test_a_coordinator_that_is_not_there(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "WAIT", 0.5)
    devices = Devices(coordinator=f"127.0.0.1:{port}", processes=2, index=1)
    began = time.monotonic()
    with (
        pytest.raises(PeerLost, match=rf"127.0.0.1:{port} does not answer within 0.5 s .*firewall"),
        together(devices, "train", silent),
    ):
        pass
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "."])
def test_process_0_listens_only_at_an_address_of_its_machine(host: str) -> None:
    devices = Devices(coordinator=f"{host}:8476", processes=2)
    with pytest.raises(UsageError, match="process 0 cannot listen there"), together(devices, "train", silent):
        pass


def test_a_port_that_is_taken(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        devices = Devices(coordinator=f"127.0.0.1:{port}", processes=2)
        with (
            pytest.raises(UsageError, match="each other process has a --process-index"),
            together(devices, "train", silent),
        ):
            pass


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"state":"join","resnet_edge":"0.0","processes":2,"index":1}', "install the same version"),
        (b'{"state":"join","resnet_edge":"%s","processes":3,"index":1}', "--processes is 2 for process 0"),
        (b'{"state":"join","resnet_edge":"%s","processes":2,"index":0}', "process 0 of 2 is there twice"),
    ],
)
def test_a_process_that_does_not_fit_is_refused(port: int, line: bytes, message: str) -> None:
    line = line.replace(b"%s", __version__.encode())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: run(port, waiting, processes=2)[0])
        with reached(port) as other:
            other.sendall(line + b"\n")
            answer = other.makefile("rb").readline()
    assert message in text(first.result(), UsageError)
    assert message.encode() in answer


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff\x00\n", b"[" * 70_000 + b"\n"])
def test_a_stranger_at_the_port_changes_nothing(port: int, noise: bytes) -> None:
    def first() -> Future[object]:
        return run(port, lambda others: "trained", processes=2)[0]

    def second() -> None:
        with together(Devices(coordinator=f"127.0.0.1:{port}", processes=2, index=1), "train", silent):
            pass

    with ThreadPoolExecutor(2) as pool:
        ended = pool.submit(first)
        with reached(port) as stranger:
            stranger.sendall(noise)
        pool.submit(second).result()
    assert ended.result().result() == "trained"


def reached(port: int) -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("nothing listens")
