"""Parquet files, which pyarrow writes here."""

from __future__ import annotations

from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
import pyarrow.parquet as pq  # noqa: E402  behind the look whether it is there

from resnet_edge.core.errors import DataError  # noqa: E402
from resnet_edge.data.shards.parquet import class_names, records  # noqa: E402
from tests.data.shards.writing import photos, write_parquet  # noqa: E402

PHOTO = photos(1)[0][0]


@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_the_layout_of_hugging_face(tmp_path: Path, compression: str) -> None:
    some = photos(40)
    path = write_parquet(
        tmp_path / "a", some, ("ant", "bee", "cat"), row_group_size=7, compression=compression
    )
    assert [(record.content, record.label) for record in records(path)] == some
    assert class_names([path, path]) == ("ant", "bee", "cat")
    assert class_names([write_parquet(tmp_path / "b", some)]) == ()


def test_plain_bytes_without_labels(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [PHOTO, PHOTO]}), tmp_path / "a")
    assert [(record.content, record.label) for record in records(tmp_path / "a")] == [(PHOTO, None)] * 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"img": [PHOTO]}, "has no 'image'; it has img"),
        ({"image": [PHOTO], "fine_label": [1]}, "has no 'label', and has fine_label"),
        ({"image": ["a.jpg"], "label": [1]}, "has a column 'image' of string: it must be bytes"),
        ({"image": [{"path": "a.jpg"}]}, "has a column 'image' of struct<path: string>"),
        ({"image": [PHOTO], "label": ["cat"]}, "has a column 'label' of string: it must be whole numbers"),
        ({"image": [PHOTO, None], "label": [1, 2]}, "record 1 has no bytes of a photo"),
        ({"image": [{"bytes": PHOTO}, None], "label": [1, 2]}, "record 1 has no bytes of a photo"),
    ],
)
def test_other_columns(tmp_path: Path, columns: dict[str, list[object]], message: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a")
    with pytest.raises(DataError, match=message):
        [*records(tmp_path / "a")]


def test_classes_in_another_order(tmp_path: Path) -> None:
    """Labels of one shard would mean something else in the next."""
    shards = [
        write_parquet(tmp_path / name, photos(2, classes=2), [*name[:2]]) for name in ("ab", "ba", "ab2")
    ]
    with pytest.raises(DataError, match=r"ab and .*ba name the classes differently"):
        class_names(shards)


def test_a_column_of_no_labels(tmp_path: Path) -> None:
    """As test sets have it."""
    for kind in (pa.int64(), pa.null()):
        pq.write_table(pa.table({"image": [PHOTO], "label": pa.array([None], kind)}), tmp_path / "a")
        assert [record.label for record in records(tmp_path / "a")] == [None]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([PHOTO])] * 2, names=["image", "image"])
    pq.write_table(table, tmp_path / "a")
    for read in (lambda path: [*records(path)], lambda path: class_names([path])):
        with pytest.raises(DataError, match="has several columns called 'image'"):
            read(tmp_path / "a")


def test_a_photo_that_is_named_again_and_again(tmp_path: Path) -> None:
    """It stands in the file once, and would be in memory as often as rows are read together."""
    photo = b"\0" * 20_000_000
    pq.write_table(pa.table({"image": pa.array([photo] * 30, pa.binary())}), tmp_path / "a")
    assert (tmp_path / "a").stat().st_size < 2 * len(photo)
    before = pa.default_memory_pool().max_memory()
    assert sum(1 for _ in records(tmp_path / "a")) == 30
    assert pa.default_memory_pool().max_memory() <= max(before, 4 * len(photo))


@pytest.mark.parametrize("where", [0.3, 0.999])
def test_damage(tmp_path: Path, where: float) -> None:
    path = write_parquet(tmp_path / "a", photos(9), write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match="a cannot be read as Parquet"):
        [*records(path)]
    path.write_bytes(content[:-9])
    with pytest.raises(DataError, match="a cannot be read as Parquet"):
        [*records(path)]
