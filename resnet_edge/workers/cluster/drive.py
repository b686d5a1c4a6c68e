"""Runs beside the parent. The process that speaks with Ray: it joins the cluster, puts files into its store
of objects once each, and hands calls to it as tasks of Ray's.

A call whose machine or process of Ray's died is made again. Ray cannot see a worker of ours that died under
such a process: that call is made once more, and then told as it is told of a worker here.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from resnet_edge.core.errors import ClusterUnavailable, DataError, OutputError, WorkerFailed, first_line
from resnet_edge.core.files.atomic import hidden, take_name
from resnet_edge.workers.cluster import node
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.join import connect, name_beside, names_of
from resnet_edge.workers.cluster.messages import ClusterNode, DriverReply, DriverRequest, Identity, NodeReply
from resnet_edge.workers.cluster.objects import Objects

ATTEMPTS = 4
"""How often a call is made whose machine or process dies: Ray's own default of tasks."""
LOST = (
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.NodeDiedError,
    ray.exceptions.ObjectLostError,
    ray.exceptions.OutOfMemoryError,
)
"""How Ray says that a machine or a process died."""
GONE = (ray.exceptions.NodeDiedError, ray.exceptions.TaskUnschedulableError)
"""How Ray says that a machine that it listed has gone, of a task that was for that one."""
_NO_MACHINE = "no machine of the cluster is left: see `ray status`, and run again; what is done stays"
LOOK = 5.0
"""Seconds between two looks at the machines while a call waits."""
ALONE = 60.0
"""Seconds without a machine that could take a call, until it is given up; one that restarts takes less."""
SURVEY = 120.0
"""Seconds for all machines to say what they are; a process of Ray's starts in some."""
END = 12.0
"""Seconds for calls that were cancelled to end: one that misses it is told again after LOOK."""
LEAVE = 15.0
"""Seconds for all machines to remove what they have of the run."""


def main() -> None:
    """Do what comes from the socket until it ends; then leave the cluster."""
    driver = _Driver(socket.socket(fileno=int(sys.argv[1])))
    try:
        driver.serve()
    finally:
        driver.leave()
        # Ray's own threads may wait for a cluster that is gone.
        os._exit(0)


class _Driver:
    """One run on one cluster."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sending, self._naming = threading.Lock(), threading.Lock()
        self._objects = Objects()
        self._calls: dict[int, Any] = {}
        self._cancelled: set[int] = set()
        self._threads = ThreadPoolExecutor(1024)  # each waits; the parent asks for as many as there are CPUs
        self._orders: queue.SimpleQueue[DriverRequest | None] = queue.SimpleQueue()
        self._run = ""
        self._names: dict[str, str] = {}
        self._alone: dict[int, float] = {}  # since when, by the CPUs of a call
        self._seen: tuple[float, list[dict[str, Any]]] = (0.0, [])

    def serve(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while (order := self._orders.get()) is not None:
            if order.order == "join":
                self._threads.submit(self._answered, order, partial(self._join, order))
            elif order.order == "call":
                self._threads.submit(self._answered, order, partial(self._called, order))
            elif order.order == "cancel":
                self._cancel(order.id)
            else:
                return

    def leave(self) -> None:
        """Give up what is under way, and have every machine remove what it has of this run."""
        under_way = dict(self._calls)
        for id in under_way:
            self._cancel(id)
        if self._run and ray.is_initialized():
            with suppress(Exception):  # as below
                # What still puts files in place would put them there again behind who removes them.
                ray.wait([*under_way.values()], num_returns=len(under_way), timeout=END)
            with suppress(Exception):  # whatever Ray says: it is over, and what is left is swept later
                away = [
                    ray.remote(node.leave).options(**_on(one["NodeID"])).remote(self._run)
                    for one in self._alive()
                ]
                ray.wait(away, num_returns=len(away), timeout=LEAVE)
            with suppress(Exception):  # as above
                ray.shutdown()

    def _listen(self) -> None:
        with suppress(OSError):
            for line in self._channel.makefile("rb"):
                self._orders.put(msgspec.json.decode(line, type=DriverRequest))
        self._orders.put(None)

    def _answered(self, order: DriverRequest, step: Callable[[], DriverReply]) -> None:
        try:
            reply = step()
        except (ClusterUnavailable, DataError, OutputError, WorkerFailed) as error:
            reply = DriverReply(error=type(error).__name__, text=str(error))
        except Exception as error:  # the border: it is sent to the parent, not swallowed
            text = f"Ray: {type(error).__name__}: {first_line(error)}"
            reply = DriverReply(error=ClusterUnavailable.__name__, text=text)
        reply.id = order.id
        with self._sending, suppress(OSError):
            self._channel.sendall(msgspec.json.encode(reply) + b"\n")

    def _join(self, order: DriverRequest) -> DriverReply:
        assert order.identity is not None
        address = ClusterAddress.parse(order.address)
        connect(address)
        self._run = order.run
        return DriverReply(nodes=self._surveyed(order.identity))

    def _surveyed(self, ours: Identity) -> list[ClusterNode]:
        """What the machines are. Raises ClusterUnavailable where there is none, or one runs other code."""
        alive = [one for one in self._alive() if one["Resources"].get("CPU", 0) >= 1]
        if not alive:
            raise ClusterUnavailable("no machine of the cluster gives a CPU: ray start --num-cpus N on one")
        self._names = names_of(alive)
        surveys = [ray.remote(_survey).options(**_on(one["NodeID"])).remote() for one in alive]
        done, _ = ray.wait(surveys, num_returns=len(surveys), timeout=SURVEY)
        nodes = []
        for one, answer in zip(alive, surveys, strict=True):
            name = self._names[one["NodeID"]]
            if answer not in done:
                raise ClusterUnavailable(
                    f"{name} of the cluster did not answer in {SURVEY:.0f} s: see `ray status`"
                )
            try:
                said = msgspec.json.decode(_said(one, answer))
            except GONE:
                continue
            except LOST as error:
                raise ClusterUnavailable(
                    f"{name} of the cluster was lost while it was asked what it is ({first_line(error)}): "
                    "see `ray status`, and run again"
                ) from error
            if "missing" in said:
                raise ClusterUnavailable(
                    f"{name} of the cluster cannot import resnet_edge ({said['missing']}): "
                    f"pip install 'resnet-edge[cluster]=={ours.resnet_edge}' there, with the extras of the "
                    "backends"
                )
            theirs = msgspec.convert(said["identity"], type=Identity)
            if wrong := node.difference(ours, theirs, name):
                raise ClusterUnavailable(wrong)
            nodes.append(
                ClusterNode(
                    node=name,
                    cpus=int(one["Resources"]["CPU"]),
                    machine=said["machine"],
                    versions=theirs.versions,
                    boot=said["boot"],
                )
            )
        if not nodes:
            raise ClusterUnavailable(_NO_MACHINE)
        return nodes

    def _called(self, order: DriverRequest) -> DriverReply:
        assert order.call is not None
        began = time.monotonic()
        line = msgspec.json.encode(order.call)
        with self._objects.of(order.files) as refs:
            for attempt in range(2):
                reply, written = self._ended(order, line, refs)
                if reply.error != WorkerFailed.__name__ or attempt or order.id in self._cancelled:
                    break
        for path, content in written.items():
            write(path_here(path, order), content)
        came = self._came(reply)
        name = self._names.get(reply.node, reply.node)
        reply.text, reply.node = reply.text.replace(reply.node, name), name
        reply.machine, reply.versions = {}, {}
        return DriverReply(ended=reply, nodes=came, seconds=time.monotonic() - began)

    def _came(self, reply: NodeReply) -> list[ClusterNode]:
        """The machine of a reply, where it came to the cluster after this run did."""
        with self._naming:
            if reply.node in self._names:
                return []
            # Those that are gone again, too.
            for one in (one for one in ray.nodes() if one["NodeID"] == reply.node):
                self._names[reply.node] = name = name_beside(self._names, one)
                cpus = int(one["Resources"].get("CPU", 0))
                return [ClusterNode(node=name, cpus=cpus, machine=reply.machine, versions=reply.versions)]
        return []

    def _ended(
        self, order: DriverRequest, line: bytes, refs: dict[str, list[Any]]
    ) -> tuple[NodeReply, dict[str, bytes]]:
        """Again where it was lost with its machine or its process. Raises ClusterUnavailable,
        WorkerFailed."""
        for attempt in range(ATTEMPTS):
            try:
                return self._tried(order, line, refs)
            except LOST as error:
                lost = error
            if order.id in self._cancelled:
                break
            time.sleep(2.0**attempt)  # for memory to be free, or a machine to be known as lost
        raise WorkerFailed(died(order, lost)) from lost

    def _tried(
        self, order: DriverRequest, line: bytes, refs: dict[str, list[Any]]
    ) -> tuple[NodeReply, dict[str, bytes]]:
        """Raises ClusterUnavailable, LOST, and WorkerFailed where it was given up."""
        # Ray itself would try for ever what has no memory, and says nothing of it.
        options = {"num_cpus": order.cpus, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        ref = ray.remote(_run).options(**options).remote(line, refs)
        self._calls[order.id] = ref
        if order.id in self._cancelled:
            self._cancel(order.id)
        try:
            looks = 0
            while not ray.wait([ref], timeout=LOOK)[0]:
                if order.id in self._cancelled:
                    self._cancel(order.id)
                    looks += 1
                if looks > 1:  # one that was just beginning has missed it: it goes with this process
                    with suppress(Exception):  # it may have ended just now
                        ray.cancel(ref, force=True)
                    raise WorkerFailed(f"{order.call.name if order.call else 'a call'} was given up")
                if self._alone_for(order.cpus) > ALONE:
                    ray.cancel(ref)
                    raise ClusterUnavailable(_NO_MACHINE)
            sent, written = ray.get(ref)
        finally:
            self._calls.pop(order.id, None)
        return msgspec.json.decode(sent, type=NodeReply), written

    def _cancel(self, id: int) -> None:
        self._cancelled.add(id)
        if (ref := self._calls.get(id)) is not None:
            with suppress(Exception):  # it may have ended just now
                ray.cancel(ref)

    def _alone_for(self, cpus: int) -> float:
        """Seconds since no machine is there that could take a call of so many CPUs."""
        now = time.monotonic()
        if any(one["Resources"].get("CPU", 0) >= cpus for one in self._alive()):
            self._alone.pop(cpus, None)
            return 0.0
        return now - self._alone.setdefault(cpus, now)

    def _alive(self) -> list[dict[str, Any]]:
        """The machines, as of the last look."""
        if time.monotonic() - self._seen[0] > LOOK / 2:
            nodes = ray.nodes()
            self._seen = (time.monotonic(), [one for one in nodes if one["Alive"]])
        return self._seen[1]


def path_here(path: str, order: DriverRequest) -> Path:
    """Where on this machine a file of the cluster goes. Raises WorkerFailed for one that nobody declared."""
    for there, here in order.to.items():
        if path == there:
            return Path(here)
        inside = path.removeprefix(f"{there}/")
        if inside != path and ".." not in Path(inside).parts and not os.path.isabs(inside):
            return Path(here) / inside
    raise WorkerFailed(f"the cluster sent a file that nobody asked for: {path}")


def write(path: Path, content: bytes) -> None:
    part = hidden(path)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        take_name(part, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): make room there") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def died(order: DriverRequest, lost: Exception) -> str:
    """What is said of a call that was tried in vain."""
    assert order.call is not None
    if isinstance(lost, ray.exceptions.OutOfMemoryError):
        return (
            f"{order.call.name} was ended on the cluster {ATTEMPTS} times, as its machine had no memory "
            "left: give the machines more memory, or fewer CPUs (`ray start --num-cpus N`), so that less "
            "runs there at once"
        )
    return (
        f"{order.call.name} was lost on the cluster {ATTEMPTS} times, with the machine or the process of Ray "
        "that it ran in: see `ray status` and the log of that machine"
    )


def _on(id: str) -> dict[str, Any]:
    strategy = NodeAffinitySchedulingStrategy(node_id=id, soft=False)
    return {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": strategy}


def _run(line: bytes, refs: dict[str, list[Any]]) -> tuple[bytes, dict[str, bytes]]:
    """On a machine: `node.run`, with the parts of files as they come out of the store of objects."""
    parts = {digest: [partial(_bytes_of, ref) for ref in each] for digest, each in refs.items()}
    context = ray.get_runtime_context()
    return node.run(line, parts, context.get_node_id())


def _bytes_of(ref: Any) -> Any:
    return memoryview(ray.get(ref))


def _said(machine: dict[str, Any], answer: Any) -> bytes:
    """What a survey says; made again where its process was ended, as for want of memory. Raises LOST."""
    for _ in range(ATTEMPTS - 1):
        try:
            said: bytes = ray.get(answer, timeout=SURVEY)
        except GONE:
            raise
        except LOST:
            answer = ray.remote(_survey).options(**_on(machine["NodeID"])).remote()
        else:
            return said
    last: bytes = ray.get(answer, timeout=SURVEY)
    return last


def _survey() -> bytes:
    """On a machine. Ray sends this function itself, and not its name: it says so where our package, which has
    the name, is not there."""
    import json

    try:
        import msgspec

        from resnet_edge.core.machine import boot_id, machine
        from resnet_edge.workers.cluster.node import own_identity

        identity = msgspec.to_builtins(own_identity())
        said = {"identity": identity, "machine": machine(), "boot": boot_id()}
    except ImportError as error:
        said = {"missing": str(error)}
    return json.dumps(said).encode()


if __name__ == "__main__":
    main()
