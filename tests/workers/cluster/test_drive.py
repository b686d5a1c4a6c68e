"""The process that speaks with Ray, without a cluster: what it makes of Ray's texts and of files."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from resnet_edge.core.errors import ClusterUnavailable, OutputError, WorkerFailed
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.messages import DriverRequest

pytest.importorskip("ray", reason="the extra [cluster] is not installed")

from ray._private.utils import check_version_info  # after the skip, as Ray is an extra

from resnet_edge.workers.cluster import drive  # it imports Ray


def test_other_releases_are_said_in_a_line() -> None:
    """Of the text that Ray itself makes."""
    with pytest.raises(RuntimeError) as mismatch:
        check_version_info({"ray_version": "2.9.0", "python_version": "3.9.1"}, "here")
    text = drive.reason(mismatch.value)
    assert text.startswith("it has another release of Ray or Python (Ray 2.9.0, Python 3.9.1 there, Ray ")
    assert text.endswith(" here): install the same on both")


def test_no_cluster_here_is_said() -> None:
    error = ConnectionError("Could not find any running Ray instance. Please specify the one to connect to")
    assert "`ray start --head`" in drive.reason(error)


def test_of_a_traceback_of_the_other_end_the_last_line_is_said() -> None:
    text = "Failure from server:\nTraceback (most recent call last):\n  File x\nRuntimeError: no\n"
    said = "it cannot be joined (RuntimeError: no): see that `ray status` answers there"
    assert drive.reason(ConnectionAbortedError(text)) == said


def test_a_port_without_an_answer_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        word = f"ray:127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ClusterUnavailable, match=rf"^{word}: nothing answers there .Connection refused"):
            drive.connect(ClusterAddress.parse(word))


def test_machines_that_share_an_address_are_told_apart() -> None:
    machines = [
        {"NodeID": id, "NodeManagerAddress": address}
        for id, address in (("aaaaaaaa", "10.0.0.1"), ("bbbbbbbb", "10.0.0.2"), ("cccccccc", "10.0.0.1"))
    ]
    assert drive.names_of(machines) == {
        "aaaaaaaa": "10.0.0.1 (aaaaaa)",
        "bbbbbbbb": "10.0.0.2",
        "cccccccc": "10.0.0.1 (cccccc)",
    }


def test_what_comes_goes_where_it_belongs_and_nowhere_else() -> None:
    order = DriverRequest(order="call", to={"/t/out/a.npy": "/here/a.npy", "/t/out/f": "/here/f"})
    assert drive.path_here("/t/out/a.npy", order) == Path("/here/a.npy")
    assert drive.path_here("/t/out/f/x/y", order) == Path("/here/f/x/y")
    for path in ("/t/out/b.npy", "/t/out/f/../../x", "/t/out/f//etc/x", "/etc/passwd", "/t/out/fx"):
        with pytest.raises(WorkerFailed, match="nobody asked for"):
            drive.path_here(path, order)


def test_a_file_goes_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "PART", 10)
    (tmp_path / "a").write_bytes(bytes(range(25)))
    parts = [bytes(part) for part in drive.parts(str(tmp_path / "a"))]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert b"".join(parts) == bytes(range(25))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="make room there"):
        drive.write(tmp_path / "file" / "out.npy", b"")
