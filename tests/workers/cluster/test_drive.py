"""The process that speaks with Ray, without a cluster: what it makes of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError, WorkerFailed
from resnet_edge.workers.cluster.messages import DriverRequest

pytest.importorskip("ray", reason="the extra [cluster] is not installed")

from resnet_edge.workers.cluster import drive  # it imports Ray


def test_what_comes_goes_where_it_belongs_and_nowhere_else() -> None:
    order = DriverRequest(order="call", to={"/t/out/a.npy": "/here/a.npy", "/t/out/f": "/here/f"})
    assert drive.path_here("/t/out/a.npy", order) == Path("/here/a.npy")
    assert drive.path_here("/t/out/f/x/y", order) == Path("/here/f/x/y")
    for path in ("/t/out/b.npy", "/t/out/f/../../x", "/t/out/f//etc/x", "/etc/passwd", "/t/out/fx"):
        with pytest.raises(WorkerFailed, match="nobody asked for"):
            drive.path_here(path, order)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="make room there"):
        drive.write(tmp_path / "file" / "out.npy", b"")
