"""Runs in the parent. The cluster that shards run on, where the user named one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resnet_edge.core.backend_name import runtime_of
from resnet_edge.core.errors import ClusterUnavailable
from resnet_edge.core.machine import boot_id, machine
from resnet_edge.core.packages import EXTRAS
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.connection import ClusterConnection, kind_of, kinds
from resnet_edge.workers.cluster.node import own_identity
from resnet_edge.workers.pool import OnCluster
from resnet_edge.workers.progress import OnProgress, Progress

MOST_WORKERS = 1024
"""Calls at once: each has a thread that waits for it, here and in the process that speaks with Ray."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster that this run has joined. `workers`: how many tasks of one CPU run there at once."""

    connection: ClusterConnection

    @property
    def workers(self) -> int:
        return min(MOST_WORKERS, sum(one.cpus for one in self.connection.nodes))

    @property
    def machines(self) -> int:
        return len(self.connection.nodes)

    @property
    def one_cpu(self) -> OnCluster:
        """A place for what runs on one thread."""
        return OnCluster(connection=self.connection)

    @property
    def whole_machine(self) -> OnCluster:
        """A place for what takes all cores: as many as the smallest machine has."""
        cpus = min(one.cpus for one in self.connection.nodes)
        return OnCluster(connection=self.connection, cpus=cpus)

    @property
    def own_process(self) -> OnCluster:
        """The same for what has a process of its own, as a training has."""
        return replace(self.whole_machine, alone=True)

    @property
    def may_work_here(self) -> bool:
        """Whether this machine is, or may be, one of them."""
        ours = boot_id()
        return any(one.boot in ("", ours) for one in self.connection.nodes)

    def unlike(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The `nodes` that took part in something, where they are of several kinds: their last bits may
        differ, and which of them ran what is chance. Nothing where all are alike."""
        known, took_part = kinds(self.connection.nodes), sorted({*nodes})
        return tuple(took_part) if len({known.get(node) for node in took_part}) > 1 else ()

    def apart(self) -> dict[str, str]:
        """What outputs from there depend on beside what those from here do; nothing where all machines
        compute as this one."""
        here = kind_of(machine())
        others = sorted({*kinds(self.connection.nodes).values()} - {here})
        return {"cluster": repr(others)} if others else {}

    def facts(self) -> dict[str, Any]:
        """For `machine` of a report: what was joined, and each machine."""
        nodes = {
            f"{one.node}": {**one.machine, "cpus": one.cpus, "versions": one.versions}
            for one in self.connection.nodes
        }
        return {"cluster": {"address": self.connection.address.word, "nodes": nodes}}


@contextmanager
def joined(word: str | None, logs: Path, on_progress: OnProgress) -> Iterator[Cluster | None]:
    """The cluster that the user named; None where none was. Raises UsageError, MissingDependency,
    ClusterUnavailable."""
    if word is None:
        yield None
        return
    step = f"cluster {word}"
    on_progress(Progress(step=step, note="joining"))
    with ClusterConnection(ClusterAddress.parse(word), logs / "cluster.log") as connection:
        connection.join(own_identity())
        cluster = Cluster(connection=connection)
        note = f"{cluster.machines} machines, {cluster.workers} CPUs"
        on_progress(Progress(step=step, done=1, total=1, note=note))
        yield cluster


def facts_of(cluster: Cluster | None) -> dict[str, Any]:
    """As Cluster.facts; nothing where there is none."""
    return {} if cluster is None else cluster.facts()


def check_runtimes(cluster: Cluster | None, backends: Iterable[str]) -> None:
    """Raise ClusterUnavailable where a machine lacks what one of `backends` runs on."""
    ours = own_identity().versions
    for one in cluster.connection.nodes if cluster is not None else ():
        for word in backends:
            runtime = runtime_of(word)
            for distribution, extra in EXTRAS.values():
                if extra == runtime and distribution in ours and distribution not in one.versions:
                    raise ClusterUnavailable(
                        f"{one.node} of the cluster has no {distribution}: "
                        f"pip install {distribution}=={ours[distribution]} there, or leave out --backends "
                        f"{word}"
                    )
