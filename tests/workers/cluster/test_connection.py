"""What the parent knows of a cluster before and after it speaks with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ClusterUnavailable, MissingDependency
from resnet_edge.core.machine import machine
from resnet_edge.workers.cluster import connection
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.connection import ClusterConnection, kind_of, kinds
from resnet_edge.workers.cluster.messages import ClusterNode
from resnet_edge.workers.cluster.node import own_identity


def node(name: str, **facts: object) -> ClusterNode:
    return ClusterNode(node=name, cpus=2, machine={**machine(), **facts}, versions={})


def test_what_decides_how_a_machine_computes() -> None:
    alike = kinds([node("a"), node("b", memory_bytes=1, os="another", cores=64)])
    assert alike["a"] == alike["b"] == kind_of(machine())
    unlike = kinds([node("a"), node("b", cpu="another"), node("c", int8_flags=["i8mm"])])
    assert len({*unlike.values()}) == 3


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "versions", dict)
    with pytest.raises(MissingDependency, match=r"pip install 'resnet-edge\[cluster\]'"):
        ClusterConnection(ClusterAddress.parse("ray"), tmp_path / "log")


def test_what_ray_prints_of_a_token_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert not connection.refused(log)
    log.write_text("gcs_client.cc:210: Failed to get cluster ID\n")
    assert not connection.refused(log)
    log.write_text("Unauthenticated: RPC error: InvalidAuthToken: Authentication token is missing\n")
    assert connection.refused(log)


def test_a_cluster_that_is_not_there_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="the extra [cluster] is not installed")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        ClusterConnection(ClusterAddress.parse("ray:127.0.0.1:1"), tmp_path / "log") as joining,
        pytest.raises(ClusterUnavailable, match="nothing answers there"),
    ):
        joining.join(own_identity())
    assert joining.ended
    assert [entry.name for entry in tmp_path.iterdir()] == ["log"]
