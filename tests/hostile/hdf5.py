"""Changes of an HDF5 file: of the model's config in it, its attributes, its links and arrays."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
from hypothesis import strategies as st

from tests.hostile.mutations import Draw, array, changed_bytes, changed_json, pick

ATTRIBUTES = ("", "x", "[]", 3, np.zeros(3), np.array([b"a", b"\xff"]), b"\xff\xfe", np.array([b"../x"] * 3))


def changed(draw: Draw, content: bytes) -> bytes:
    """The file with one thing in it that is another."""
    how = pick(draw, ("config",) * 6 + ("attribute",) * 2 + ("array",) * 3 + ("link", "group", "bytes"))
    if how == "bytes":
        return changed_bytes(draw, content)
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as opened:
        if how == "config" and "model_config" in opened.attrs:
            text = changed_json(draw, str(opened.attrs["model_config"]).encode())
            if len(text) > 60_000:  # a larger one has to stand elsewhere in the file
                text = text[:60_000]
            opened.attrs["model_config"] = np.bytes_(text) if text else ""
        elif how == "attribute":
            _attribute(draw, opened)
        else:
            _member(draw, opened, how)
    return stream.getvalue()


def _names(opened: Any) -> list[str]:
    names: list[str] = []
    opened.visit(names.append)
    return names


def _attribute(draw: Draw, opened: Any) -> None:
    owner = pick(draw, [opened, *(opened[name] for name in _names(opened))])
    key = pick(draw, [*owner.attrs, "model_config", "keras_version", "weight_names", "layer_names"])
    if pick(draw, (True, False)) and key in owner.attrs:
        del owner.attrs[key]
    else:
        owner.attrs[key] = pick(draw, ATTRIBUTES)


def _member(draw: Draw, opened: Any, how: str) -> None:
    names = _names(opened)
    name = pick(draw, names)
    del opened[name]
    if how == "link":
        kind = pick(draw, ("soft", "external", "hard", "loop"))
        if kind == "soft":
            opened[name] = h5py.SoftLink(pick(draw, ("/", "/nowhere", name)))
        elif kind == "external":
            opened[name] = h5py.ExternalLink("/etc/passwd", "/")
        else:
            opened[name] = (
                opened["/"] if kind == "loop" else opened[names[0]] if names[0] in opened else opened["/"]
            )
    elif how == "group":
        opened.create_group(name)
    else:
        _array(draw, opened, name)


def _array(draw: Draw, opened: Any, name: str) -> None:
    how = pick(draw, ("none", "other", "bomb", "text", "nan"))
    if how == "other":
        values = array(draw)
        if values.dtype.kind in "OUMV" or values.ndim > 30:
            values = np.zeros(3)
        opened[name] = values
    elif how == "bomb":
        size = pick(draw, (10**6, 10**9, 10**13))
        opened.create_dataset(name, (size,), "f4", chunks=(10_000,), compression="gzip")
    elif how == "text":
        opened[name] = "x" * draw(st.integers(0, 9))
    elif how == "nan":
        opened[name] = np.full((3, 3, 1, 4), np.nan, np.float32)
