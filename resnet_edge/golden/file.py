"""Runs in a worker. The file of golden vectors: golden.json and arrays as .npy, in one zip.

Nothing in it is compressed, so that the same content gives the same bytes with every zlib, and so that
no file is larger than it looks. `numpy.load` opens it like any .npz. A reader trusts nothing: the file may
come from anywhere.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.core.files import documents
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.pipes import check_no_pipe
from resnet_edge.core.results.golden_vectors import SCHEMA, GoldenVectors, faults
from resnet_edge.golden.tolerances import near_ties
from resnet_edge.report.readable_json import readable_json

LARGEST = 1 << 30
"""Bytes of a file: 64 images of 1000 x 1000 pixels in float32 would be 768 MB."""
MANIFEST = "golden.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold
FLOAT, PIXELS = ("<f4",), ("<f4", "|u1")
AGAIN = "copy the file again, or save it again with `resnet-edge verify --save-golden`"


@dataclass(frozen=True)
class GoldenFile:
    """`images` (N, H, W, C), `reference` (N, classes), and `expected[artifact][run]` (N, classes)."""

    vectors: GoldenVectors
    images: NDArray[Any]
    reference: NDArray[np.float32]
    expected: tuple[tuple[NDArray[np.float32], ...], ...]


def write_golden(golden: GoldenFile, path: Path) -> None:
    """Write the file whole or not at all. Raises DataError for what no reader takes, OutputError."""
    fault = next(faults(golden.vectors), None)
    if fault is None and not all(np.isfinite(array).all() for array in _arrays(golden)):
        fault = "an image or an output is no finite number"
    if fault is not None:
        raise DataError(f"{path} would be no file of golden vectors: {fault}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, MANIFEST, readable_json(golden.vectors))
        _add(archive, "images.npy", _npy(golden.images))
        _add(archive, "reference.npy", _npy(golden.reference))
        for number, runs in enumerate(golden.expected):
            for run, outputs in enumerate(runs):
                _add(archive, _expected(number, run), _npy(outputs))
    if content.tell() > LARGEST:
        raise DataError(f"{path} would be {content.tell():,} bytes: save fewer images")
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def _arrays(golden: GoldenFile) -> Iterator[NDArray[Any]]:
    yield from (golden.images, golden.reference, *(outputs for runs in golden.expected for outputs in runs))


def _expected(artifact: int, run: int) -> str:
    return f"expected/{artifact}.{run}.npy"


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # as Unix has it, wherever it is written
    archive.writestr(entry, content)


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    kind = array.dtype.newbyteorder("<")
    npy.write_array(stream, np.ascontiguousarray(array, kind), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def read_golden(path: Path) -> GoldenFile:
    """Read and check everything. Raises DataError, in one line."""
    try:
        check_no_pipe(path)
        size = path.stat().st_size
        if size > LARGEST:
            raise DataError(f"{path} has {size:,} bytes, more than golden vectors take: {AGAIN}")
        stream = path.open("rb")
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): name a file of `resnet-edge verify --save-golden`"
        ) from error
    try:
        with stream, zipfile.ZipFile(stream) as archive:
            return _read(_Entries(archive, size))
    except _Fault as fault:
        raise DataError(f"{path} is no file of golden vectors ({fault}): {AGAIN}") from fault
    except Exception as error:  # zipfile and numpy raise whatever their parsers raise
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} is no file of golden vectors, or a damaged one ({what}): {AGAIN}") from error


class _Fault(Exception):
    """What is wrong with a file, as a phrase."""


class _Entries:
    """The files in the zip of `size` bytes, each read only when all that was read before it is right; reading
    one checks its CRC."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise _Fault("it is compressed, and what is written here never is")
        if sum(entry.file_size for entry in entries) > size:
            raise _Fault("it would unpack to more than it is")
        self._archive, self.left = archive, {entry.filename: entry for entry in entries}
        if len(self.left) < len(entries):
            raise _Fault("it holds a name twice")

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        """It, and how many bytes it has; no more of it than is read there is in memory."""
        entry = self.left.pop(name, None)
        if entry is None:
            raise _Fault(f"it holds no {name}")
        with self._archive.open(entry) as stream:
            yield stream, entry.file_size


def _read(entries: _Entries) -> GoldenFile:
    with entries.opened(MANIFEST) as (stream, size):
        if size > documents.LARGEST:
            raise _Fault(f"its {MANIFEST} has {size:,} bytes")
        vectors = _manifest(stream.read())
    n, scores = len(vectors.rows), (len(vectors.rows), vectors.head.outputs)
    golden = GoldenFile(
        vectors,
        _array(entries, "images.npy", PIXELS, (n, *vectors.image_shape)),
        _array(entries, "reference.npy", FLOAT, scores),
        tuple(
            tuple(_array(entries, _expected(number, run), FLOAT, scores) for run in range(len(artifact.runs)))
            for number, artifact in enumerate(vectors.artifacts)
        ),
    )
    if entries.left:
        raise _Fault(f"it holds {next(iter(entries.left))!r}, which does not belong there")
    if (fault := next(_loose(golden), None)) is not None:
        raise _Fault(fault)
    return golden


def _loose(golden: GoldenFile) -> Iterator[str]:
    """Tolerances that let anything pass: they were not written so."""
    for artifact, runs in zip(golden.vectors.artifacts, golden.expected, strict=True):
        for tolerance in artifact.tolerances:
            expected = runs[tolerance.expected]
            most = tolerance.max_abs
            if tolerance.steps is not None and artifact.step is not None:
                most = max(most, tolerance.steps * max(artifact.step))
            if most > float(np.ptp(expected)) / 2:
                yield f"{artifact.file}: a tolerance of {most:.3g} lets any outputs pass"
            elif tolerance.near_ties != near_ties(golden.vectors.head, expected, tolerance.max_abs):
                yield f"{artifact.file}: its near-ties are not those of its outputs"


def _manifest(content: bytes) -> GoldenVectors:
    schema = msgspec.json.decode(content, type=dict[str, Any]).get("schema")
    if schema != SCHEMA:
        raise _Fault(f"its schema is {repr(schema)[:80]}, and this resnet-edge reads {SCHEMA}")
    vectors = msgspec.json.decode(content, type=GoldenVectors)
    if (fault := next(faults(vectors), None)) is not None:
        raise _Fault(fault)
    return vectors


def _array(entries: _Entries, name: str, dtypes: Sequence[str], shape: tuple[int, ...]) -> NDArray[Any]:
    """The array `name`. Its header is read alone: numpy would make room for what a header claims."""
    with entries.opened(name) as (stream, size):
        if npy.read_magic(stream) != (1, 0):
            raise _Fault(f"{name} has a version that is not written here")
        declared, by_columns, dtype = npy.read_array_header_1_0(stream)
        if dtype.str not in dtypes or by_columns:
            raise _Fault(f"{name} holds {dtype}, and must hold {' or '.join(dtypes)} in C order")
        if declared != shape:
            raise _Fault(f"{name} has the shape {declared}, and the images and outputs make it {shape}")
        if size - stream.tell() != math.prod(shape) * dtype.itemsize:
            raise _Fault(f"{name} is not as long as its shape")
        array = np.frombuffer(stream.read(), dtype).reshape(shape)
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise _Fault(f"{name} holds NaN or Inf")
    return array
