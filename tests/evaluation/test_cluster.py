"""What a run knows of a cluster that it has joined."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from resnet_edge.core.errors import ClusterUnavailable, UsageError
from resnet_edge.core.machine import boot_id, machine
from resnet_edge.evaluation.cluster import Cluster, check_runtimes, facts_of, joined
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.connection import ClusterConnection
from resnet_edge.workers.cluster.messages import ClusterNode
from resnet_edge.workers.cluster.node import own_identity
from resnet_edge.workers.progress import silent


def node(name: str, cpus: int = 2, cpu: str | None = None, **without: str) -> ClusterNode:
    facts: dict[str, Any] = {**machine(), **({} if cpu is None else {"cpu": cpu})}
    versions = {key: value for key, value in own_identity().versions.items() if key not in without.values()}
    return ClusterNode(node=name, cpus=cpus, machine=facts, versions=versions)


def cluster(*nodes: ClusterNode) -> Cluster:
    """One whose machines are known, and which nobody has to speak with."""
    known = SimpleNamespace(nodes=nodes, address=ClusterAddress.parse("ray:head:6379"))
    return Cluster(connection=cast(ClusterConnection, known))


def test_its_places() -> None:
    joined_one = cluster(node("a", 4), node("b", 16))
    assert (joined_one.workers, joined_one.machines) == (20, 2)
    assert (joined_one.one_cpu.cpus, joined_one.whole_machine.cpus) == (1, 4)
    assert (joined_one.own_process.cpus, joined_one.own_process.alone) == (4, True)
    assert not joined_one.whole_machine.alone


def test_this_machine_may_be_one_of_them_unless_all_say_that_they_are_others() -> None:
    other, own = (msgspec.structs.replace(node("a"), boot=boot) for boot in ("another", boot_id()))
    assert not cluster(other).may_work_here
    assert cluster(other, own).may_work_here
    assert cluster(other, node("b")).may_work_here, "nobody knows"


def test_machines_that_are_alike_need_not_be_named() -> None:
    alike = cluster(node("a"), node("b"))
    assert alike.unlike(["a", "b", "a"]) == ()
    assert alike.apart() == {}


def test_machines_that_are_unlike_are_named_where_they_took_part() -> None:
    unlike = cluster(node("a"), node("b", cpu="another"), node("c"))
    assert unlike.unlike(["b", "a", "b"]) == ("a", "b")
    assert unlike.unlike(["a", "c"]) == ()
    assert unlike.unlike([]) == ()
    assert "another" in unlike.apart()["cluster"]


def test_the_report_has_every_machine() -> None:
    facts = facts_of(cluster(node("a", 4)))["cluster"]
    assert facts["address"] == "ray:head:6379"
    assert facts["nodes"]["a"]["cpus"] == 4
    assert facts["nodes"]["a"]["versions"] == own_identity().versions
    assert facts_of(None) == {}


def test_a_machine_without_a_runtime_is_refused_with_the_fix() -> None:
    version = own_identity().versions["onnxruntime"]
    lacking = cluster(node("a"), node("b", lacks="onnxruntime"))
    check_runtimes(lacking, ["litert"])
    check_runtimes(None, ["onnxruntime"])
    with pytest.raises(ClusterUnavailable, match=rf"^b of the cluster .*onnxruntime=={version} there"):
        check_runtimes(lacking, ["litert", "onnxruntime"])


def test_no_cluster_is_joined_where_none_is_named(tmp_path: Path) -> None:
    with joined(None, tmp_path, silent) as nothing:
        assert nothing is None
    with pytest.raises(UsageError), joined("dask", tmp_path, silent):
        pass
    assert not any(tmp_path.iterdir())
