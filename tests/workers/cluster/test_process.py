"""Tasks on a real Ray cluster of two nodes, as the parent sees them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resnet_edge.core.errors import ClusterUnavailable, DataError, WorkerFailed
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.connection import ClusterConnection, kind_of
from resnet_edge.workers.cluster.node import own_identity
from resnet_edge.workers.cluster.process import ClusterProcess
from resnet_edge.workers.process import WorkerProcess
from tests.workers.cluster.fixtures import CODE, RayCluster, started
from tests.workers.cluster.probes import CopyFile

pytestmark = pytest.mark.slow


def joined(cluster: RayCluster, log: Path, word: str = "") -> ClusterConnection:
    connection = ClusterConnection(ClusterAddress.parse(word or cluster.word), log)
    try:
        connection.join(own_identity())
    except BaseException:
        connection.close()
        raise
    return connection


@pytest.fixture
def connection(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterConnection]:
    for name, value in ray_cluster.environment.items():
        monkeypatch.setenv(name, value)
    with joined(ray_cluster, tmp_path / "cluster.log") as connection:
        yield connection
    assert ray_cluster.left() == []


def copying(folder: Path, number: int = 0, then: str = "well", seconds: float = 0.0) -> CopyFile:
    path, halves = folder / "a.bin", folder / f"halves {number}"
    if not path.exists():
        path.write_bytes(bytes(range(256)) * 4096)
    halves.mkdir(exist_ok=True)
    out = str(folder / f"b{number}.bin")
    return CopyFile(path=str(path), out=out, folder=str(halves), then=then, seconds=seconds)


def test_a_task_is_done_there_and_what_it_writes_comes_here(
    connection: ClusterConnection, tmp_path: Path
) -> None:
    task = copying(tmp_path)
    with ClusterProcess("copy", tmp_path / "log", connection) as process:
        copied = process.run(task)
    assert Path(task.out).read_bytes() == Path(task.path).read_bytes()
    assert (copied.out, copied.size) == (task.out, 1 << 20)
    assert copied.inside == (f"{task.folder}/first", f"{task.folder}/second")
    assert [len(Path(half).read_bytes()) for half in copied.inside] == [1 << 19, 1 << 19]
    assert copied.token == ""  # what reads files of others does not see it
    assert process.node in {one.node for one in connection.nodes}
    assert len(connection.nodes) == 2


def test_a_file_goes_to_each_machine_once(connection: ClusterConnection, tmp_path: Path) -> None:
    def placed(number: int) -> tuple[str, int]:
        with ClusterProcess(f"copy {number}", tmp_path / "log", connection) as process:
            process.run(copying(tmp_path, number, seconds=0.5))
            return process.node, process.timing.placed_bytes

    copying(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        came = [*threads.map(placed, range(8))]
    by_node: dict[str, int] = {}
    for node, size in came:
        by_node[node] = by_node.get(node, 0) + size
    assert by_node == {one.node: 1 << 20 for one in connection.nodes}


def test_an_error_reads_as_one_from_here(connection: ClusterConnection, tmp_path: Path) -> None:
    task = copying(tmp_path, then="refuses")
    with (
        ClusterProcess("copy", tmp_path / "log", connection) as process,
        pytest.raises(DataError) as there,
    ):
        process.run(task)
    assert str(there.value) == f"{task.path} does not fit {task.out}"


def test_a_crash_reads_as_one_from_here_and_costs_nothing_else(
    connection: ClusterConnection, tmp_path: Path
) -> None:
    task = copying(tmp_path, then="dies")
    with WorkerProcess("copy", tmp_path / "log") as here, pytest.raises(WorkerFailed) as local:
        here.run(task)
    with ClusterProcess("copy", tmp_path / "log", connection) as process:
        with pytest.raises(WorkerFailed) as there:
            process.run(task)
        assert str(there.value) == str(local.value)
        assert process.run(copying(tmp_path, 1)).size == 1 << 20


def test_what_is_given_up_ends(connection: ClusterConnection, tmp_path: Path) -> None:
    process = ClusterProcess("copy", tmp_path / "log", connection)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(process.run, copying(tmp_path, seconds=600))
        time.sleep(3)
        process.close()
        with pytest.raises((WorkerFailed, ClusterUnavailable)):
            running.result(60)


def test_ray_alone_is_the_cluster_that_the_environment_names(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (*ray_cluster.environment.items(), ("RAY_ADDRESS", ray_cluster.address)):
        monkeypatch.setenv(name, value)
    with ClusterConnection(ClusterAddress.parse("ray"), tmp_path / "cluster.log") as connection:
        connection.join(own_identity())
        assert len(connection.nodes) == 2


def test_a_machine_that_is_lost_costs_nothing(
    losing_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in losing_cluster.environment.items():
        monkeypatch.setenv(name, value)
    nodes: list[str] = []

    def copied(number: int) -> bytes:
        task = copying(tmp_path, number, seconds=4)
        with ClusterProcess(f"copy {number}", tmp_path / "log", with_both) as process:
            process.run(task)
            nodes.append(process.node)
        return Path(task.out).read_bytes()

    copying(tmp_path)
    with joined(losing_cluster, tmp_path / "cluster.log") as with_both, ThreadPoolExecutor(2) as threads:
        running = [threads.submit(copied, number) for number in range(4)]
        time.sleep(3)
        losing_cluster.lose_a_node()
        assert {len(each.result(180)) for each in running} == {1 << 20}
    assert len(nodes) == 4
    assert nodes.count(with_both.nodes[0].node) + nodes.count(with_both.nodes[1].node) == 4
    # The machine that is lost cannot remove what it had; here both nodes are one machine.
    assert losing_cluster.left() == []


def test_a_machine_that_comes_later_is_known_with_what_it_is(
    losing_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in losing_cluster.environment.items():
        monkeypatch.setenv(name, value)

    def ran_on(number: int) -> str:
        with ClusterProcess(f"copy {number}", tmp_path / "log", cluster) as process:
            process.run(copying(tmp_path, number, seconds=2))
            return process.node

    copying(tmp_path)
    losing_cluster.lose_a_node()
    with joined(losing_cluster, tmp_path / "cluster.log") as cluster, ThreadPoolExecutor(4) as threads:
        (first,) = cluster.nodes
        losing_cluster.add_a_node()
        ran = {*threads.map(ran_on, range(12))}
        nodes = {one.node: one for one in cluster.nodes}
    assert len(ran) == 2
    assert ran == {*nodes}
    (later,) = ran - {first.node}
    assert later.startswith(f"{first.node.partition(' ')[0]} (")  # both are this machine
    assert (nodes[later].cpus, nodes[later].versions) == (1, first.versions)
    assert kind_of(nodes[later].machine) == kind_of(first.machine)


def test_through_ray_client_it_is_the_same(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("grpc", reason="Ray Client needs it: pip install 'ray[client]'")
    for name, value in ray_cluster.environment.items():
        monkeypatch.setenv(name, value)
    with joined(ray_cluster, tmp_path / "cluster.log", ray_cluster.client_word) as connection:
        assert len(connection.nodes) == 2
        with ClusterProcess("copy", tmp_path / "log", connection) as process:
            assert process.run(copying(tmp_path)).size == 1 << 20
    assert ray_cluster.left() == []


ENDS_AT_ONCE = """
import pathlib, sys
if "--mode=specific-server" in sys.orig_argv:
    ends = pathlib.Path(__file__).with_name("ends")
    left = int(ends.read_text())
    ends.write_text(str(left - 1))
    if left > 0:
        sys.stderr.close()
        raise SystemExit(1)
"""
"""Python runs it as it starts; Ray's head starts such a server for each client."""


def test_a_server_of_ray_client_that_ends_at_once_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("grpc", reason="Ray Client needs it: pip install 'ray[client]'")
    (tmp_path / "nodes").mkdir()
    (tmp_path / "sitecustomize.py").write_text(ENDS_AT_ONCE, encoding="utf-8")
    (tmp_path / "ends").write_text("1", encoding="utf-8")
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, CODE)))}
    with started(tmp_path / "nodes", **paths) as cluster:
        for name, value in cluster.environment.items():
            monkeypatch.setenv(name, value)
        with joined(cluster, tmp_path / "cluster.log", cluster.client_word) as connection:
            assert len(connection.nodes) == 2
    assert int((tmp_path / "ends").read_text()) < 0  # it was started again


@pytest.mark.parametrize("client", [False, True])
def test_another_token_is_refused(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: bool
) -> None:
    (tmp_path / "token").write_text("0" * 64, encoding="utf-8")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", os.fspath(tmp_path / "token"))
    with pytest.raises(ClusterUnavailable, match=r"asks for a token.*RAY_AUTH_TOKEN_PATH"):
        joined(ray_cluster, tmp_path / "cluster.log", ray_cluster.client_word if client else "")


def test_no_token_is_refused(
    ray_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    with pytest.raises(ClusterUnavailable, match=r"asks for a token.*RAY_AUTH_TOKEN_PATH"):
        joined(ray_cluster, tmp_path / "cluster.log")


def test_a_cluster_that_goes_away_is_said(
    losing_cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in losing_cluster.environment.items():
        monkeypatch.setenv(name, value)
    with (
        joined(losing_cluster, tmp_path / "cluster.log") as connection,
        ThreadPoolExecutor(1) as threads,
        ClusterProcess("copy", tmp_path / "log", connection) as process,
    ):
        running = threads.submit(process.run, copying(tmp_path, seconds=600))
        time.sleep(3)
        assert losing_cluster.process.stdin is not None
        losing_cluster.process.stdin.close()
        with pytest.raises(ClusterUnavailable, match=r"went away .full log: .*run again"):
            running.result(120)


def joining(cluster: RayCluster, monkeypatch: pytest.MonkeyPatch, log: Path) -> ClusterConnection:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    return joined(cluster, log)


def test_a_machine_that_comes_in_its_place_goes_on_and_without_one_the_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nodes").mkdir()
    with (
        started(tmp_path / "nodes", "idle-head") as cluster,
        joining(cluster, monkeypatch, tmp_path / "cluster.log") as connection,
        ThreadPoolExecutor(1) as threads,
        ClusterProcess("copy", tmp_path / "log", connection) as process,
    ):
        running = threads.submit(process.run, copying(tmp_path, seconds=5))
        time.sleep(3)
        cluster.lose_a_node()
        time.sleep(10)
        cluster.add_a_node()
        assert running.result(60).size == 1 << 20
        assert process.node in {one.node for one in connection.nodes[1:]}  # it came later
        cluster.lose_a_node()
        began = time.monotonic()
        with pytest.raises(ClusterUnavailable, match=r"no machine of the cluster is left: .*run again"):
            process.run(copying(tmp_path, 1))
        assert 60 < time.monotonic() - began < 90
        with pytest.raises(ClusterUnavailable, match="no machine of the cluster is left"):
            process.run(copying(tmp_path, 2))
        assert time.monotonic() - began < 100  # the next one need not wait for it again


def test_a_task_for_which_there_is_no_memory_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines whose memory Ray takes for used up whatever is in it."""
    (tmp_path / "nodes").mkdir()
    full = {"RAY_memory_usage_threshold": "0.0001", "RAY_memory_monitor_refresh_ms": "2000"}
    with (
        started(tmp_path / "nodes", **full) as cluster,
        joining(cluster, monkeypatch, tmp_path / "cluster.log") as connection,
        ClusterProcess("copy", tmp_path / "log", connection) as process,
        pytest.raises(WorkerFailed, match=r"ended on the cluster 4 times, as its machine had no memory left"),
    ):
        process.run(copying(tmp_path, seconds=30))
