"""Files in the store of objects of a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from tests.workers.cluster.fixtures import CODE, RayCluster

pytest.importorskip("ray", reason="the extra [cluster] is not installed")

from resnet_edge.workers.cluster import objects  # it imports Ray
from resnet_edge.workers.cluster.objects import Objects

SIZE = 1000


@pytest.fixture
def puts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what went into the store, which is here no more than this list."""
    sizes: list[int] = []

    def put(part: np.ndarray) -> bytes:
        sizes.append(part.nbytes)
        return part.tobytes()

    monkeypatch.setattr("ray.put", put)
    return sizes


def files(folder: Path, count: int) -> dict[str, str]:
    for number in range(count):
        (folder / str(number)).write_bytes(bytes([number]) * SIZE)
    return {f"digest {number}": str(folder / str(number)) for number in range(count)}


def test_a_file_goes_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART", 10)
    (tmp_path / "a").write_bytes(bytes(range(25)))
    parts = [bytes(part) for part in objects.parts(str(tmp_path / "a"))]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert b"".join(parts) == bytes(range(25))


def test_a_file_goes_once_while_it_is_needed(tmp_path: Path, puts: list[int]) -> None:
    one, stored = files(tmp_path, 1), Objects(kept_bytes=0)
    with stored.of(one) as first, stored.of(one) as second:
        assert first == second == {"digest 0": [bytes(SIZE)]}
    assert puts == [SIZE]
    assert stored.size == 0


def test_what_was_not_needed_longest_goes(tmp_path: Path, puts: list[int]) -> None:
    all_files, stored = files(tmp_path, 6), Objects(kept_bytes=2 * SIZE)
    model = {"digest 0": all_files["digest 0"]}
    for number in range(1, 6):
        with stored.of({**model, f"digest {number}": all_files[f"digest {number}"]}):
            assert stored.size <= 4 * SIZE
    assert stored.size == 2 * SIZE
    assert len(puts) == 6
    with stored.of(model), stored.of({"digest 5": all_files["digest 5"]}):
        assert len(puts) == 6
    with stored.of({"digest 1": all_files["digest 1"]}):
        assert len(puts) == 7


def test_what_calls_need_stays_however_much_it_is(tmp_path: Path, puts: list[int]) -> None:
    all_files, stored = files(tmp_path, 4), Objects(kept_bytes=0)
    with stored.of(all_files):
        with stored.of({"digest 0": all_files["digest 0"]}):
            pass
        assert stored.size == 4 * SIZE
    assert stored.size == 0


def test_a_file_that_cannot_be_read_is_said_and_holds_nothing(tmp_path: Path, puts: list[int]) -> None:
    stored = Objects(kept_bytes=0)
    gone = {**files(tmp_path, 1), "digest 1": str(tmp_path / "gone")}
    with pytest.raises(DataError, match=r"gone cannot be read .No such file"), stored.of(gone):
        pass
    assert stored.size == 0


STORES = """
import pathlib, sys, tempfile, time
from resnet_edge.workers.cluster.address import ClusterAddress
from resnet_edge.workers.cluster.join import connect
from resnet_edge.workers.cluster.objects import Objects

connect(ClusterAddress.parse(sys.argv[1]))
stored = Objects(kept_bytes=int(sys.argv[2]))
for number in range(30):
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes([number]) * (20 << 20))
        file.flush()
        with stored.of({str(number): file.name}):
            time.sleep(0.1)
spilled = [file for file in pathlib.Path(sys.argv[3]).glob("ray/session_*/ray_spilled*/*")]
print(len(spilled))
"""


@pytest.mark.slow
def test_ray_frees_what_is_not_kept(ray_cluster: RayCluster, tmp_path: Path) -> None:
    """Of 600 MB in a store of 150, Ray puts on its disk what it must keep."""

    def spilled(kept: int) -> int:
        words = [sys.executable, "-c", STORES, ray_cluster.word, str(kept), str(ray_cluster.folder)]
        environment = {**os.environ, **ray_cluster.environment, "PYTHONPATH": str(CODE)}
        ended = subprocess.run(words, env=environment, check=True, timeout=300, stdout=subprocess.PIPE)
        return int(ended.stdout)

    assert spilled(40 << 20) == 0
    assert spilled(1 << 30) > 0
