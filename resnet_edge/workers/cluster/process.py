"""A worker on a cluster, seen from the parent: as `workers.process.WorkerProcess`, with Ray between."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from resnet_edge.core.errors import KINDS, MissingDependency, ResnetEdgeError, UsageError, WorkerFailed
from resnet_edge.workers.cluster.connection import ClusterConnection
from resnet_edge.workers.cluster.messages import DriverRequest, NodeCall, NodeReply
from resnet_edge.workers.cluster.node import own_identity
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.hosts.carried import Carried
from resnet_edge.workers.hosts.process import digest_of
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.task import Task

T = TypeVar("T")


class ClusterProcess:
    """Takes a place in the cluster while a task runs, with `cpus` of one machine, and none in between.
    `alone`: each task has a process there that does nothing else, as one that is closed behind it has here.

    What `WorkerProcess` says of itself holds, but for progress, of which nothing comes. `node` is the machine
    that did the last task, and `timing` what that took.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        connection: ClusterConnection,
        grant: Grant = NOTHING,
        env: Mapping[str, str] | None = None,
        cpus: int = 1,
        *,
        alone: bool = False,
    ) -> None:
        self.name, self.log = name, log
        self.peak_bytes, self.cpu_seconds = 0, 0.0
        self.node = ""
        self.timing = NodeReply()
        self._connection, self._grant, self._cpus, self._alone = connection, grant, cpus, alone
        self._env = {key: value for key, value in (env or {}).items() if key != "TMPDIR"}
        self._before = 0.0
        self._lock = threading.Lock()
        self._id: int | None = None
        self._closed = False

    def run(self, task: Task[T], on_progress: OnProgress = silent) -> T:
        """Do `task` on a machine of the cluster, and bring what it writes. Raises as WorkerProcess.run, and
        ClusterUnavailable where the cluster is gone."""
        carried = Carried.of(task, PurePosixPath(self._connection.token))
        digests = {here: digest_of(here) for here in carried.reads}
        with self._lock:
            order = self._order(task, carried, digests)
            self._id = order.id  # first: whoever closes it from now on cancels it
            try:
                if self._closed:
                    raise WorkerFailed(f"{self.name} was closed (full log: {self.log})")
                answer = self._connection.call(order)
            except UnicodeEncodeError as error:
                raise UsageError(f"a name is not valid UTF-8 ({error.object!r}): rename the file") from error
            except ResnetEdgeError:
                raise
            except BaseException:  # interrupted
                self.close()
                raise
            finally:
                self._id = None
        return self._read(answer.ended or NodeReply(), carried, task.reply_type())

    def _order(self, task: Task[T], carried: Carried, digests: dict[str, str]) -> DriverRequest:
        connection = self._connection
        call = NodeCall(
            run=connection.run,
            token=connection.token,
            identity=own_identity(),
            name=self.name,
            function=task.runs,
            request=carried.request(task),
            reads={there: digests[here] for here, there in carried.reads.items()},
            writes=[*carried.writes.values()],
            folders=[there for here, there in carried.writes.items() if Path(here).is_dir()],
            env=self._env,
            free=self._grant.free,
            network=self._grant.network,
            alone=self._alone,
        )
        return DriverRequest(
            order="call",
            id=connection.new_id(),
            call=call,
            files={digest: here for here, digest in digests.items()},
            to={there: here for here, there in carried.writes.items()},
            cpus=self._cpus,
        )

    def _read(self, ended: NodeReply, carried: Carried, reply: type[T]) -> T:
        self.node, self.timing = ended.node, ended
        self.peak_bytes = max(self.peak_bytes, ended.peak_bytes)
        self.cpu_seconds = max(self.cpu_seconds, ended.cpu_seconds)
        if ended.log:
            with self.log.open("a", encoding="utf-8") as stream:
                stream.write(f"on {ended.node}:\n{ended.log}")
        if ended.error is not None:
            text = carried.error(ended.text, self.log if ended.log else None)
            if ended.error == MissingDependency.__name__:  # here it may well be installed
                text = f"on {ended.node} of the cluster: {text}"
            raise KINDS.get(ended.error, ResnetEdgeError)(text)
        return carried.result(ended.reply, reply, f"{self.name} on {ended.node}", self.log)

    def close(self) -> None:
        """Give up the task that is under way."""
        self._closed = True
        if self._id is not None:
            self._connection.cancel(self._id)

    def __enter__(self) -> ClusterProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
