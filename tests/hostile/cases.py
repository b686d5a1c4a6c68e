"""How each kind of file is changed: from a seed, by a draw, to what its reader is given."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.hostile import flatbuffers, hdf5, mutations, protobufs
from tests.hostile.mutations import Change, Draw, changed_json, changed_npy, changed_text, changed_zip, pick


def _keras(draw: Draw, content: bytes) -> bytes:
    return changed_zip(
        draw, content, {"config.json": changed_json, ".json": changed_json, ".h5": hdf5.changed}
    )


def _npz(draw: Draw, content: bytes) -> bytes:
    return changed_zip(draw, content, {".npy": changed_npy})


def _golden(draw: Draw, content: bytes) -> bytes:
    return changed_zip(draw, content, {".json": changed_json, ".npy": changed_npy})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Seeds by their names, and how one of them is changed; `suffix` is of what is read."""

    seeds: tuple[str, ...]
    change: Change
    suffix: str
    slow: bool = False


KINDS: dict[str, Kind] = {
    "keras": Kind(seeds=("model.keras",), change=_keras, suffix=".keras", slow=True),
    "h5": Kind(seeds=("model.h5",), change=hdf5.changed, suffix=".h5", slow=True),
    "keras2": Kind(seeds=("keras2.h5",), change=hdf5.changed, suffix=".h5", slow=True),
    "tflite": Kind(
        seeds=("fixed.tflite", "dynamic.tflite", "int8.tflite", "uint8.tflite"),
        change=flatbuffers.changed,
        suffix=".tflite",
    ),
    "tflite run": Kind(
        seeds=("fixed.tflite", "dynamic.tflite", "int8.tflite"), change=flatbuffers.changed, suffix=".tflite"
    ),
    "metadata": Kind(seeds=("told.tflite",), change=flatbuffers.changed_metadata, suffix=".tflite"),
    "onnx": Kind(
        seeds=("fixed.onnx", "dynamic.onnx", "uint8.onnx"), change=protobufs.changed, suffix=".onnx"
    ),
    "onnx run": Kind(
        seeds=("fixed.onnx", "dynamic.onnx", "uint8.onnx"), change=protobufs.changed, suffix=".onnx"
    ),
    "ort": Kind(seeds=("fixed.ort",), change=mutations.changed_bytes, suffix=".ort"),
    "npz": Kind(seeds=("data.npz",), change=_npz, suffix=".npz"),
    "tar": Kind(seeds=("data.tar",), change=mutations.changed_bytes, suffix=".tar"),
    "tfrecord": Kind(seeds=("data.tfrecord",), change=mutations.changed_bytes, suffix=".tfrecord"),
    "bench": Kind(seeds=("bench.json",), change=changed_json, suffix=".json"),
    "sidecar": Kind(seeds=("story.json",), change=changed_json, suffix=".json"),
    "golden": Kind(seeds=("golden.npz",), change=_golden, suffix=".npz"),
    "preprocessing": Kind(seeds=("preprocessing.json",), change=changed_json, suffix=".json"),
    "resize": Kind(seeds=("resize.json",), change=changed_json, suffix=".json"),
    "space": Kind(seeds=("space.toml",), change=changed_text, suffix=".toml"),
    "labels": Kind(seeds=("labels.txt",), change=changed_text, suffix=".txt"),
}
if find_spec("pyarrow") is not None:  # the extra parquet
    KINDS["parquet"] = Kind(seeds=("data.parquet",), change=mutations.changed_bytes, suffix=".parquet")
"""All that is one file. A folder of photos and one that `convert` wrote are changed in place (FOLDERS)."""


def _photos(draw: Draw, folder: Path) -> None:
    mutations.changed_photos(draw, folder)


def _converted(draw: Draw, folder: Path) -> None:
    name, change = pick(draw, (("report.json", changed_json),) * 8 + (("labels.txt", changed_text),))
    (folder / name).write_bytes(change(draw, (folder / name).read_bytes()))


def _search(draw: Draw, folder: Path) -> None:
    name = pick(draw, ("report.json",) * 8 + ("points/14/report.json",))
    (folder / name).write_bytes(changed_json(draw, (folder / name).read_bytes()))


def _checkpoint(draw: Draw, folder: Path) -> None:
    state, history = folder / "epoch-1.npz", folder / "history.json"
    how = pick(draw, ("arrays",) * 4 + ("history",) * 2 + ("name",))
    if how == "arrays":
        state.write_bytes(_npz(draw, state.read_bytes()))
    elif how == "history":
        history.write_bytes(changed_json(draw, history.read_bytes()))
    else:
        names = ("epoch-99.npz", "epoch-3.npz", "epoch-x.npz", "epoch--1.npz", "epoch-.npz", "epoch-٣.npz")
        state.rename(folder / pick(draw, names))


FOLDERS: dict[str, tuple[str, Callable[[Draw, Path], None]]] = {
    "folder": ("photos", _photos),
    "report": ("converted", _converted),
    "search": ("frontier", _search),
    "checkpoint": ("out.keras.checkpoint", _checkpoint),
}


def written(draw: Draw, kind: str, seeds: Path, place: Path) -> Path:
    """A changed file, or folder, of that kind in `place`, which is empty."""
    if kind in FOLDERS:
        name, change_in = FOLDERS[kind]
        shutil.copytree(seeds / name, place / "given")
        change_in(draw, place / "given")
        return place / "given"
    reader = KINDS[kind]
    content = reader.change(draw, (seeds / pick(draw, reader.seeds)).read_bytes())
    path = place / f"given{reader.suffix}"
    path.write_bytes(content)
    if kind == "sidecar":  # which is read for what it lies beside
        path.with_suffix(".keras").write_bytes(b"")
        shutil.copytree(seeds / "converted", place / "converted")
    return path
