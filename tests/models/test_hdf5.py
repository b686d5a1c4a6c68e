"""HDF5 files that are looked through before they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError, WorkerFailed
from resnet_edge.models._hdf5 import check_hdf5, ended_after
from resnet_edge.workers.process import WorkerProcess
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _time(group: h5py.Group) -> None:
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(group.id, b"w", h5py.h5t.UNIX_D32LE, space)


@pytest.mark.parametrize(
    "write",
    [
        lambda group: group.create_dataset("w", data=h5py.Empty("f4")),
        lambda group: group.create_dataset("w", (3,), dtype=h5py.vlen_dtype(np.float32)),
        lambda group: group.create_dataset("w", (3,), dtype=h5py.string_dtype()),
        lambda group: group.create_dataset("w", data=np.full(3, b"abc")),
        lambda group: group.create_dataset("w", (3,), dtype=h5py.ref_dtype),
        lambda group: group.create_dataset("w", (3,), dtype=[("a", "f4"), ("b", "i2")]),
        _time,
    ],
)
def test_weights_are_arrays_of_numbers(tmp_path: Path, write: Callable[[h5py.Group], Any]) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        write(opened.create_group("apart"))
        check_hdf5(opened, "m.h5", "model_weights")  # what people keep beside them is not read
        opened["model_weights/w"] = opened["apart/w"]
        for weights in ("model_weights", "/"):
            with pytest.raises(ModelError, match=r"m\.h5 has '/.*/w' among its weights, which is no array"):
                check_hdf5(opened, "m.h5", weights)


def test_a_piece_of_an_array_is_no_larger_than_a_file_may_cost(tmp_path: Path) -> None:
    """A chunk is unpacked whole: one of 1.6 GB packs into 2 MB."""
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        for name, chunk in (("good", 250_000), ("bad", 250_000_000)):
            opened.create_dataset(name, (4,), "f4", maxshape=(None,), chunks=(chunk,), compression="gzip")
        with pytest.raises(ModelError, match="'/bad', 16 bytes, in pieces of 1,000,000,000"):
            check_hdf5(opened, "m.h5")
        del opened["bad"]
        check_hdf5(opened, "m.h5")


def test_a_group_that_contains_itself_is_walked_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened["a/b"] = np.zeros(3)
        opened["a/loop"] = opened["a"]
        check_hdf5(opened, "m.h5")


def scan_without_end(request: dict[str, Any], report: Any) -> None:
    """In a worker: what a damaged file has made the HDF5 library do."""
    with ended_after(0.05):
        while True:
            pass


def test_a_scan_that_never_ends_is_ended(tmp_path: Path) -> None:
    with (
        WorkerProcess("source", tmp_path / "log") as worker,
        pytest.raises(WorkerFailed, match="SIGALRM; a file that takes so long to read is damaged"),
    ):
        worker.call(f"{__name__}:scan_without_end", {}, dict)
