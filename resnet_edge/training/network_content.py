"""Runs in a worker. A model file as it is handed on: without what a training needs to go on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py

WEIGHTS = "model.weights.h5"
OPTIMIZER = ("optimizer", "optimizer_weights")
"""Where a .keras and an .h5 file hold the state of the optimizer: with Adam, two numbers for each weight."""


def network_content(file: Path) -> bytes:
    """The bytes of a .keras or .h5 file without the state of its optimizer, so that two sizes compare two
    networks and not whether one of them was just trained. Other files as they are.

    The file is one that was opened as a model before. Raises OSError.
    """
    if zipfile.is_zipfile(file):
        return _without_state(file)
    return _weights_alone(file) if h5py.is_hdf5(file) else file.read_bytes()


def _without_state(file: Path) -> bytes:
    """The archive again, stored as Keras stores it."""
    copy = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, _weights_alone(content) if member.filename == WEIGHTS else content)
    return copy.getvalue()


def _weights_alone(source: Path | bytes) -> bytes:
    copy = io.BytesIO()
    with (
        h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as old,
        h5py.File(copy, "w") as new,
    ):
        new.attrs.update(old.attrs)
        for name in old:
            if name not in OPTIMIZER:
                old.copy(name, new)
    return copy.getvalue()
