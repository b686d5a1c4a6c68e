"""A machine of a cluster, without Ray: what Ray runs there is a function."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resnet_edge.workers.cluster import node
from resnet_edge.workers.cluster.messages import Identity, NodeCall, NodeReply
from resnet_edge.workers.task import Task
from tests.workers.cluster.probes import CopyFile

TOKEN = "/resnet-edge-0123"
CONTENT = bytes(range(256)) * 8


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the temporary files of the machine are."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(node, "_places", {})
    yield tmp_path
    for place in node._places.values():
        if place.worker is not None:
            place.worker.close()


def call(then: str = "well", identity: Identity | None = None) -> NodeCall:
    task: Task[object] = CopyFile(  # type: ignore[assignment]  # of whatever it gives
        path=f"{TOKEN}/in/a.bin", out=f"{TOKEN}/out/b.bin", folder=f"{TOKEN}/out/halves", then=then
    )
    return NodeCall(
        run="run",
        token=TOKEN,
        identity=identity or node.own_identity(),
        name="proof 1",
        function=task.runs,
        request=msgspec.to_builtins(task),
        reads={f"{TOKEN}/in/a.bin": hashlib.sha256(CONTENT).hexdigest()},
        writes=[f"{TOKEN}/out/b.bin", f"{TOKEN}/out/halves"],
        folders=[f"{TOKEN}/out/halves"],
        env={},
        free=False,
        network=False,
    )


def done(order: NodeCall, fetched: list[int] | None = None) -> tuple[NodeReply, dict[str, bytes]]:
    def part(start: int) -> bytes:
        if fetched is not None:
            fetched.append(start)
        return CONTENT[start : start + 1024]

    parts = {hashlib.sha256(CONTENT).hexdigest(): [lambda: part(0), lambda: part(1024)]}
    sent, written = node.run(msgspec.json.encode(order), parts, "node-a")
    return msgspec.json.decode(sent, type=NodeReply), written


def test_a_call_is_done_and_its_files_come_back_by_the_names_of_who_asks(machine: Path) -> None:
    reply, written = done(call())
    assert reply.error is None, reply.text
    assert (reply.node, reply.placed_bytes) == ("node-a", len(CONTENT))
    assert written == {
        f"{TOKEN}/out/b.bin": CONTENT,
        f"{TOKEN}/out/halves/first": CONTENT[:1024],
        f"{TOKEN}/out/halves/second": CONTENT[1024:],
    }
    assert reply.reply["inside"] == [f"{TOKEN}/out/halves/first", f"{TOKEN}/out/halves/second"]


def test_a_file_comes_once(machine: Path) -> None:
    fetched: list[int] = []
    first, _ = done(call(), fetched)
    second, _ = done(call(), fetched)
    assert (first.placed_bytes, second.placed_bytes) == (len(CONTENT), 0)
    assert fetched == [0, 1024]


def test_what_came_must_be_what_was_said(machine: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    sent, _ = node.run(msgspec.json.encode(call()), {digest: [lambda: b"another"]}, "node-a")
    reply = msgspec.json.decode(sent, type=NodeReply)
    assert (reply.error, "changed while it was copied" in reply.text) == ("DataError", True)


def test_errors_of_a_task_are_those_of_who_asks(machine: Path) -> None:
    reply, written = done(call("refuses"))
    assert (reply.error, written) == ("DataError", {})
    assert reply.text == f"{TOKEN}/in/a.bin does not fit {TOKEN}/out/b.bin"


def test_a_worker_that_dies_costs_its_call_alone(machine: Path) -> None:
    reply, _ = done(call("dies"))
    assert reply.error == "WorkerFailed"
    assert reply.text.startswith("proof 1 was ended by SIGSEGV; a library crashed: if ")
    assert "Segmentation fault" in reply.log
    assert done(call())[0].error is None


def test_what_wants_a_process_alone_shares_it_with_nobody(machine: Path) -> None:
    def process(*, alone: bool = False) -> int:
        reply, _ = done(msgspec.structs.replace(call(), alone=alone))
        return int(reply.reply["process"])

    first = process()
    assert process() == first
    others = [process(alone=True), process(alone=True), process()]
    assert len({first, *others}) == 4


def test_nothing_is_left_when_a_run_leaves(machine: Path) -> None:
    done(call())
    assert any(machine.glob("resnet-edge-cluster-*"))
    node.leave("another")
    assert any(machine.glob("resnet-edge-cluster-*"))
    node.leave("run")
    assert not any(machine.glob("resnet-edge-cluster-*"))


def test_other_code_is_refused(machine: Path) -> None:
    ours = msgspec.structs.replace(node.own_identity(), digest="0" * 64)
    reply, _ = done(call(identity=ours))
    assert reply.error == "ClusterUnavailable"
    assert "install the same wheel" in reply.text


OURS = Identity(resnet_edge="1.0", digest="a", versions={"numpy": "2.0", "onnxruntime": "1.23"})


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        (OURS, ""),
        (msgspec.structs.replace(OURS, versions={"numpy": "2.0"}), ""),
        (msgspec.structs.replace(OURS, resnet_edge="0.9"), "pip install 'resnet-edge[cluster]==1.0' there"),
        (msgspec.structs.replace(OURS, digest="b"), "other code of resnet-edge 1.0"),
        (msgspec.structs.replace(OURS, versions={"numpy": "1.26"}), "pip install numpy==2.0 there"),
    ],
)
def test_what_differs_is_said_with_the_fix(theirs: Identity, says: str) -> None:
    text = node.difference(OURS, theirs, "10.0.0.7")
    assert says in text
    assert bool(text) == bool(says)


def test_what_is_needed_must_be_there() -> None:
    theirs = msgspec.structs.replace(OURS, versions={"numpy": "2.0"})
    text = node.difference(OURS, theirs, "10.0.0.7", ["onnxruntime"])
    assert text == "10.0.0.7 of the cluster has no onnxruntime: pip install onnxruntime==1.23 there"
