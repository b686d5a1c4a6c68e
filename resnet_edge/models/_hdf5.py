"""Runs in a worker. What an HDF5 file may hold, checked with h5py before Keras reads it.

HDF5 can refer to other files of the host (external and soft links, external storage,
virtual datasets: CVE-2026-1669) and can declare sizes that it does not have
(CVE-2026-0897). A Keras file needs none of that.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import h5py

from resnet_edge.core.budget import PROMISE
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


def check_hdf5(opened: h5py.File, file: str, weights: str = "/") -> int:
    """The bytes that all arrays take to be read, which `_budget` holds against what the layers need. Raises
    ModelError for links out of the file, external or virtual storage, size bombs, and what is no array of
    numbers in the group `weights`."""
    seen: set[Any] = set()
    first = opened.get(weights) if weights == "/" or _is_own(opened, weights) else None
    total = _check_group(first, file, seen, weights=True) if isinstance(first, h5py.Group) else 0
    return total + _check_group(opened, file, seen, weights=False)


def _is_own(group: Any, name: str) -> bool:
    """Whether it is there, and no link to somewhere else."""
    return name in group and isinstance(group.get(name, getlink=True), h5py.HardLink)


def _check_group(group: Any, file: str, seen: set[Any], *, weights: bool) -> int:
    """The bytes that all datasets below `group` take."""
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
            total += _check_group(member, file, seen, weights=weights)
        elif isinstance(member, h5py.Dataset):
            if weights:
                _check_numbers(member, file)
            total += _check_dataset(member, file)
    return total


def _check_numbers(dataset: Any, file: str) -> None:
    """Text and references are of any size, wherever they lie, and Keras has the whole array made of them."""
    try:
        kind = dataset.dtype
    except TypeError:  # h5py's, of a type that numpy does not have
        kind = None
    # numpy has no bfloat16: it is 2 bytes of an unknown kind
    if kind is None or kind.kind not in "biufcV" or kind.fields is not None or dataset.shape is None:
        raise ModelError(
            f"{file} has {dataset.name!r} among its weights, which is no array of numbers: copy or save it "
            "again"
        )


def _check_dataset(dataset: Any, file: str) -> int:
    if dataset.external or dataset.is_virtual:
        raise ModelError(
            f"{file} keeps {dataset.name!r} in another file, which is not safe to read: save it whole"
        )
    item = dataset.id.get_type().get_size()
    size = item * (dataset.size or 0)
    chunk = item * prod(dataset.chunks) if dataset.chunks else 0
    if chunk > max(PROMISE, size):  # it is unpacked whole, for however little is in it
        raise ModelError(
            f"{file} stores {dataset.name!r}, {size:,} bytes, in pieces of {chunk:,}: it is damaged or "
            "hostile; save it again"
        )
    stored = int(dataset.id.get_storage_size())
    if size > MAX_RATIO * max(stored, 1024):
        raise ModelError(
            f"{file} declares {size:,} bytes for {dataset.name!r} and stores {stored:,}: it is "
            "damaged; copy or save it again"
        )
    return int(size)
