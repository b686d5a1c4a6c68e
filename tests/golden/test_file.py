from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.results.golden_vectors import GoldenArtifact, GoldenRun, GoldenTolerance, GoldenVectors
from resnet_edge.golden.file import GoldenFile, read_golden, write_golden

ANY = GoldenTolerance(
    backend="", device="", expected=0, max_abs=0.1, steps=None, near_ties=(), reason="measured"
)
ARTIFACT = GoldenArtifact(
    file="a.onnx",
    sha256="a" * 64,
    format="onnx",
    scheme="fp32",
    runs=(GoldenRun("onnxruntime", "cpu"),),
    tolerances=(ANY,),
)
VECTORS = GoldenVectors(
    model="net",
    model_sha256="b" * 64,
    data="noise",
    data_sha256="c" * 64,
    output="logits",
    image_shape=(4, 4, 1),
    classes=3,
    class_names=(),
    rows=(0, 7),
    labels=None,
    artifacts=(ARTIFACT,),
)
SCORES = np.arange(6, dtype=np.float32).reshape(2, 3)
GOLDEN = GoldenFile(VECTORS, np.zeros((2, 4, 4, 1), np.uint8), SCORES, ((SCORES,),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_golden(GOLDEN, tmp_path / "golden.npz")
    return tmp_path / "golden.npz"


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, content: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def npy(array: Any, pickles: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickles)
    return stream.getvalue()


def test_what_is_written_is_read(path: Path) -> None:
    golden = read_golden(path)
    assert golden.vectors == VECTORS
    assert np.array_equal(golden.images, GOLDEN.images)
    assert np.array_equal(golden.expected[0][0], SCORES)


def test_numpy_alone_opens_it(path: Path) -> None:
    with np.load(path, allow_pickle=False) as archive:
        assert np.array_equal(archive["reference"], SCORES)


def test_what_no_reader_takes_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image"):
        write_golden(replace(GOLDEN, vectors=replace(VECTORS, rows=())), tmp_path / "golden.npz")
    assert list(tmp_path.iterdir()) == []


def manifest(content: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    document = msgspec.json.decode(content["golden.json"])
    return {**content, "golden.json": msgspec.json.encode({**document, **changes})}


def loosened(content: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """With another tolerance."""
    (artifact,) = msgspec.json.decode(content["golden.json"])["artifacts"]
    (tolerance,) = artifact["tolerances"]
    return manifest(content, artifacts=[{**artifact, "tolerances": [{**tolerance, **changes}]}])


HUGE = npy(SCORES).replace(b"(2, 3)", b"(9, 9)")
HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "no manifest": (lambda c: {n: d for n, d in c.items() if n != "golden.json"}, "no golden.json"),
    "another schema": (lambda c: manifest(c, schema=2), "schema is 2, and this resnet-edge reads 1"),
    "no schema": (lambda c: {**c, "golden.json": b"{}"}, "schema is None"),
    "a list": (lambda c: {**c, "golden.json": b"[]"}, "damaged"),
    "nested": (lambda c: {**c, "golden.json": b'{"schema":' + b"[" * 100_000}, "damaged"),
    "no text": (lambda c: {**c, "golden.json": b"\xff\xfe"}, "damaged"),
    "zero images": (lambda c: manifest(c, rows=[]), "no image"),
    "a field of another type": (lambda c: manifest(c, classes="3"), "damaged"),
    "no array": (lambda c: {n: d for n, d in c.items() if n != "images.npy"}, "no images.npy"),
    "too much": (lambda c: {**c, "../evil.npy": b""}, "does not belong"),
    "NaN": (lambda c: {**c, "reference.npy": npy(SCORES * np.nan)}, "NaN or Inf"),
    "dtype": (lambda c: {**c, "reference.npy": npy(SCORES.astype(np.float64))}, "float64"),
    "big-endian": (lambda c: {**c, "reference.npy": npy(SCORES.astype(">f4"))}, "must hold <f4"),
    "by columns": (lambda c: {**c, "reference.npy": npy(np.asfortranarray(SCORES))}, "in C order"),
    "shape": (lambda c: {**c, "expected/0.0.npy": npy(SCORES[:1])}, "has the shape"),
    "a lying header": (lambda c: {**c, "reference.npy": HUGE}, "has the shape"),
    "cut": (lambda c: {**c, "reference.npy": npy(SCORES)[:-4]}, "not as long"),
    "no array at all": (lambda c: {**c, "reference.npy": b"PK"}, "damaged"),
    "a tolerance for all": (lambda c: loosened(c, max_abs=1e9), "lets any outputs pass"),
    "near-ties that are none": (lambda c: loosened(c, near_ties=[1]), "near-ties are not those"),
    "near-ties left out": (lambda c: loosened(c, max_abs=0.5), "near-ties are not those"),
    "pickled": (lambda c: {**c, "reference.npy": npy(np.array([{}], object), True)}, "object"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_is_an_error_of_one_line(path: Path, name: str) -> None:
    change, words = HOSTILE[name]
    rewrite(path, change(entries(path)))
    with pytest.raises(DataError) as caught:
        read_golden(path)
    text = str(caught.value)
    assert words in text
    assert "\n" not in text
    assert "--save-golden" in text


def test_a_compressed_file_is_refused_before_it_is_unpacked(path: Path) -> None:
    rewrite(path, {**entries(path), "images.npy": bytes(10_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="it is compressed"):
        read_golden(path)


def test_what_unpacks_to_more_than_the_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        images, reference = archive.getinfo("images.npy"), archive.getinfo("reference.npy")
    for claimed in (images.file_size, reference.file_size):
        size = claimed.to_bytes(4, "little")
        whole = whole.replace(size + size, (1 << 20).to_bytes(4, "little") * 2)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="more than it is"):
        read_golden(path)


def test_every_damage_is_an_error(path: Path) -> None:
    whole = path.read_bytes()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError):
            read_golden(path)


def test_a_changed_byte_of_an_array_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole.replace(SCORES.tobytes(), (SCORES + 1).tobytes(), 1))
    with pytest.raises(DataError, match="CRC"):
        read_golden(path)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_golden(path)


def test_a_large_file_that_is_none_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "g.npz"
    with path.open("wb") as stream:
        stream.truncate(900_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="no file of golden vectors"):
        read_golden(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
