"""Runs in a worker. What an HDF5 file may hold, checked with h5py before Keras reads it.

HDF5 can refer to other files of the host (external and soft links, external storage,
virtual datasets: CVE-2026-1669) and can declare sizes that it does not have
(CVE-2026-0897). A Keras file needs none of that.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from resnet_edge.core.errors import ModelError

MAX_RATIO = 1000
"""Declared bytes per stored byte; gzip reaches about this on zeros."""

SECONDS = 60.0
"""Far more than the headers of a real file take."""


@contextmanager
def ended_after(seconds: float = SECONDS) -> Iterator[None]:
    """Within, the process has so long, and is then ended by SIGALRM: what goes round in circles
    inside the HDF5 library, on a damaged file, hears of nothing else."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def check_hdf5(opened: h5py.File, file: str) -> int:
    """The bytes that all arrays declare, which `_budget` holds against what the layers need. Raises
    ModelError for links out of the file, external or virtual storage, and size bombs."""
    return _check_group(opened, file, set())


def _check_group(group: Any, file: str, seen: set[Any]) -> int:
    """The bytes that all datasets below `group` declare."""
    total = 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ModelError(
                f"{file} has a link at {name!r}, which no Keras file has, and which is not safe to read: "
                "save the model again with model.save"
            )
        member = group[name]
        if member.id in seen:
            continue
        seen.add(member.id)
        if isinstance(member, h5py.Group):
            total += _check_group(member, file, seen)
        elif isinstance(member, h5py.Dataset):
            total += _check_dataset(member, file)
    return total


def _check_dataset(dataset: Any, file: str) -> int:
    if dataset.external or dataset.is_virtual:
        raise ModelError(
            f"{file} keeps {dataset.name!r} in another file, which is not safe to read: save it whole"
        )
    size = int(dataset.nbytes)
    stored = int(dataset.id.get_storage_size())
    if size > MAX_RATIO * max(stored, 1024):
        raise ModelError(
            f"{file} declares {size:,} bytes for {dataset.name!r} and stores {stored:,}: it is "
            "damaged; copy or save it again"
        )
    return size
