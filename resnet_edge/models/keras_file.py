"""`.keras`: the zip that Keras 3 writes, read with safe_mode after a check of its config."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.sidecar import read_sidecar
from resnet_edge.models import ModelRequest, OpenedModel, _source
from resnet_edge.models._config import check_config, parsed
from resnet_edge.models._declared_sizes import check_sizes
from resnet_edge.models._look import ScanKerasFile, Sketch, look_at
from resnet_edge.models.learned_ranges import WEIGHTS, Ranges, embedded
from resnet_edge.workers.progress import OnProgress

if TYPE_CHECKING:
    from resnet_edge.models.witness import Witness

MAX_TEXT_BYTES = 16 << 20
"""Of all members together but the weights: they are read whole, as JSON, of which a byte takes up to 24 in
memory (`{},` is an empty dict of 64 bytes and a pointer). No more than this fits core.budget.PROMISE."""
MAX_RATIO = 100
"""Unpacked bytes per packed byte; Keras stores the members uncompressed."""

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ValueError,
)
"""What zipfile and h5py raise on damaged bytes."""


def check(request: ModelRequest) -> None:
    """Read the zip's own tables and the config. Raises ModelError."""
    path = Path(request.source)
    kind = _source.content(path)
    if kind == "hdf5":
        raise ModelError(f"{path} is an HDF5 file, whatever its name says: rename it to end in .h5")
    if kind != "zip":
        raise ModelError(
            f"{path} is {kind}, not a .keras file: save the model again with model.save({path.name!r})"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            config = _json(archive, "config.json", path)
            check_config(config, path.name)
            check_sizes(config, path.name, archive.getinfo(WEIGHTS).file_size)
            embedded(archive, path)
    except _BROKEN as error:
        raise ModelError(
            f"{path} is truncated or damaged ({first_line(error)}): copy or save it again"
        ) from error


def look(request: ModelRequest) -> None:
    """Scan the weights in a worker. Raises ModelError."""
    look_at(ScanKerasFile(model=request))


def scan(task: ScanKerasFile, on_progress: OnProgress) -> Sketch:
    """Runs in a worker: what the weights say of themselves. Raises ModelError."""
    check_weights(Path(task.model.source))
    return Sketch()


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Load it. Raises ModelError, UsageError."""
    from resnet_edge.models import _load, _opened

    path = Path(request.source)
    with zipfile.ZipFile(path) as archive:
        config = _json(archive, "config.json", path)
        held = archive.getinfo(WEIGHTS).file_size
    model = _load.with_keras(path, config, held, lambda: check_weights(path))
    known = read_sidecar(path)
    origin = _opened.Origin(
        name=safe_name(path.stem),
        sha256=sha256_of(path),
        class_names=known.class_names,
        threshold=known.threshold,
        head=known.head,
    )
    return _opened.opened(model, request, origin, _ranges(path))


def witness(request: ModelRequest) -> Witness:
    """The file, as Keras reads it."""
    from resnet_edge.models._keras_witness import keras_witness

    return keras_witness(Path(request.source), request.output)


def _ranges(path: Path) -> Ranges | None:
    with zipfile.ZipFile(path) as archive:
        return embedded(archive, path)


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    members = {info.filename: info for info in archive.infolist()}
    if "config.json" not in members or WEIGHTS not in members:
        raise ModelError(
            f"{path} is a zip but holds no Keras model: save it again with model.save({path.name!r})"
        )
    for info in archive.infolist():
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # bzip2, LZMA: no Keras
            raise ModelError(
                f"{path}: {info.filename[:80]!r} is packed in a way that no Keras uses (method "
                f"{info.compress_type}): save it again with model.save({path.name!r})"
            )
    for info in archive.infolist():  # a name can stand there twice, and whoever unpacks all, unpacks both
        if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
            raise ModelError(
                f"{path}: {info.filename[:80]!r} unpacks to {info.file_size:,} bytes: it is damaged or "
                f"hostile; save it again with model.save({path.name!r})"
            )
    text = sum(info.file_size for info in archive.infolist() if info is not members[WEIGHTS])
    if text > MAX_TEXT_BYTES:
        raise ModelError(
            f"{path}: its {len(archive.infolist()) - 1} members beside the weights unpack to {text:,} bytes, "
            f"and a model needs {MAX_TEXT_BYTES:,} at most: save it again with model.save({path.name!r})"
        )
    if "metadata.json" in members:
        metadata = _json(archive, "metadata.json", path)
        version = metadata.get("keras_version") if isinstance(metadata, dict) else None
        if str(version).startswith("2."):
            raise ModelError(
                f"{path} was written by Keras {version}, whose .keras files Keras 3 does not read: "
                "open it there and save it as .h5"
            )


def _json(archive: zipfile.ZipFile, member: str, path: Path) -> Any:
    try:
        return parsed(archive.read(member), path.name)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: {member} is damaged: copy or save the model again") from error


def check_weights(path: Path) -> int:
    """The HDF5 file inside the zip, by the same rules as one outside: the bytes that its arrays declare.
    Raises ModelError."""
    import h5py

    from resnet_edge.models._hdf5 import check_hdf5, ended_after

    try:
        with zipfile.ZipFile(path) as archive, archive.open(WEIGHTS) as stored:
            # Keras does not pack them: their headers can be read where they are.
            unpacked = archive.getinfo(WEIGHTS).compress_type == zipfile.ZIP_STORED
            weights = stored if unpacked else io.BytesIO(stored.read())
            with ended_after(), h5py.File(weights, "r") as opened:
                return check_hdf5(opened, path.name)
    except _BROKEN as error:
        raise ModelError(f"{path}: its weights are damaged: copy or save the model again") from error
