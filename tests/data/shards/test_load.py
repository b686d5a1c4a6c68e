"""Shards of every kind as the same images."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.data.load import load
from tests.data.shards.writing import Labelled, photos, samples, write_parquet, write_tar, write_tfrecord

SHAPE = (8, 10, 3)


def tar(path: Path, some: list[Labelled]) -> Path:
    return write_tar(path, samples(some))


WRITERS: dict[str, Callable[[Path, list[Labelled]], Path]] = {
    "tar": tar, "tfrecord": write_tfrecord, "parquet": write_parquet,
}  # fmt: skip
EVERY = pytest.mark.parametrize("kind", WRITERS)


@pytest.fixture(autouse=True)
def parquet_is_there(request: pytest.FixtureRequest) -> None:
    if "kind" in request.fixturenames and request.getfixturevalue("kind") == "parquet":
        pytest.importorskip("pyarrow", reason="the extra parquet is not installed")


@EVERY
def test_images_are_those_of_pillow_and_nothing_is_decoded_before(tmp_path: Path, kind: str) -> None:
    some = photos(9)
    WRITERS[kind](tmp_path / "s-0", some[:4])
    WRITERS[kind](tmp_path / "s-1", some[4:])
    loaded = load(str(tmp_path), "test", SHAPE, tmp_path)
    assert loaded.labels is not None
    assert loaded.labels.tolist() == [label for _, label in some]
    assert (loaded.images.shape, loaded.images.dtype) == ((9, *SHAPE), np.dtype(np.uint8))
    for pixels, (photo, _) in zip(loaded.images[:], some, strict=True):
        one = Image.open(io.BytesIO(photo)).resize((10, 8), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(pixels, np.asarray(one))


@EVERY
def test_the_size_of_the_first_is_taken_where_none_is_asked_for(tmp_path: Path, kind: str) -> None:
    WRITERS[kind](tmp_path / "s", photos(2))
    assert load(str(tmp_path / "s"), "test", scratch=tmp_path).images.shape == (2, 9, 12, 3)


@EVERY
def test_a_record_that_does_not_decode_is_named(tmp_path: Path, kind: str) -> None:
    some = photos(4)
    some[2] = (some[2][0][:300], 2)
    WRITERS[kind](tmp_path / "s-0", photos(1))
    WRITERS[kind](tmp_path / "s-1", some)
    images = load(str(tmp_path / "s-*"), "test", SHAPE, tmp_path).images
    with pytest.raises(DataError, match=r"s-1: record 2 does not decode as an image"):
        images[:]


@EVERY
def test_labels_below_zero(tmp_path: Path, kind: str) -> None:
    """Hugging Face has -1 for labels that are held back."""
    WRITERS[kind](tmp_path / "s", [(photos(1)[0][0], -1)])
    with pytest.raises(DataError, match="s: record 0 has the label -1: number the classes from 0"):
        load(str(tmp_path / "s"), "test", SHAPE, tmp_path)


@pytest.mark.parametrize("kind", ["tar", "tfrecord"])
def test_a_label_that_is_missing(tmp_path: Path, kind: str) -> None:
    some = photos(4)
    some[3] = (some[3][0], None)
    WRITERS[kind](tmp_path / "s", some)
    with pytest.raises(DataError, match="s: record 3 has no label, and others have"):
        load(str(tmp_path / "s"), "test", SHAPE, tmp_path)
    WRITERS[kind](tmp_path / "s", [(photo, None) for photo, _ in some])
    assert load(str(tmp_path / "s"), "test", SHAPE, tmp_path).labels is None


def test_a_shard_without_a_photo(tmp_path: Path) -> None:
    write_tar(tmp_path / "s.tar", [("README", b"none")])
    with pytest.raises(DataError, match=r"s\.tar holds no photo: leave it out"):
        load(str(tmp_path / "s.tar"), "test", SHAPE, tmp_path)


def test_no_room_for_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    write_parquet(tmp_path / "s", photos(1))
    monkeypatch.setattr("resnet_edge.data.shards.load.PROMISE", 1 << 60)
    with pytest.raises(
        OutputError, match="the photos of .* are copied to .*: make room, or name another disk"
    ):
        load(str(tmp_path / "s"), "test", SHAPE, tmp_path)
