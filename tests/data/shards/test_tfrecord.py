"""TFRecord files, which TensorFlow writes here."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.shards.kind import masked_crc
from resnet_edge.data.shards.tfrecord import records
from tests.data.shards.writing import photos, write_tfrecord


@pytest.mark.parametrize("image", ["image", "image/encoded"])
@pytest.mark.parametrize("label", ["label", "image/class/label"])
def test_every_record_has_its_place(tmp_path: Path, image: str, label: str) -> None:
    some = photos(5)
    path = write_tfrecord(tmp_path / "a", some, image, label)
    content = path.read_bytes()
    for record, (photo, number) in zip(records(path), some, strict=True):
        assert content[record.offset : record.offset + record.size] == photo
        assert record.label == number


def test_a_byte_that_was_changed(tmp_path: Path) -> None:
    path = write_tfrecord(tmp_path / "a", photos(3))
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a: record 2 is damaged \([\w ]+\): copy the file again"):
        [*records(path)]


@pytest.mark.parametrize("lost", [1, 15, 16, 100])
def test_one_that_is_cut_off(tmp_path: Path, lost: int) -> None:
    path = write_tfrecord(tmp_path / "a", photos(3))
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(DataError, match="record 2 is damaged or cut off"):
        [*records(path)]


def test_a_record_that_would_take_the_memory(tmp_path: Path) -> None:
    head = struct.pack("<Q", 1 << 40)
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.write(head + struct.pack("<I", masked_crc(head)))
        file.truncate((1 << 40) + 16)
    with pytest.raises(DataError, match=r"record 0 has 1,099,511,627,776 bytes, more than a photo"):
        [*records(path)]


def test_other_keys_and_other_content(tmp_path: Path) -> None:
    import tensorflow as tf

    with pytest.raises(DataError, match=r"record 0 has no 'image/encoded' or 'image'; it has label, pixels"):
        [*records(write_tfrecord(tmp_path / "a", photos(1), image="pixels"))]
    with pytest.raises(DataError, match=r"record 0 has no 'image/class/label' or 'label', and has my_label"):
        [*records(write_tfrecord(tmp_path / "b", photos(1), label="my_label"))]
    with pytest.raises(
        DataError, match="record 0 has a whole number under 'image': it has to be the bytes of one photo"
    ):
        [*records(write_tfrecord(tmp_path / "c", [(b"", 1)], image="label", label="image"))]
    train = tf.train
    for number, (label, there) in enumerate(
        (
            (train.Feature(bytes_list=train.BytesList(value=[b"cat"])), "text or bytes"),
            (train.Feature(float_list=train.FloatList(value=[1.0])), "a float"),
            (train.Feature(int64_list=train.Int64List(value=[1, 2])), "2 values"),
            (train.Feature(), "nothing"),
        )
    ):
        features = {"image": train.Feature(bytes_list=train.BytesList(value=[b"x"])), "label": label}
        with tf.io.TFRecordWriter(str(tmp_path / f"e{number}")) as writer:
            writer.write(train.Example(features=train.Features(feature=features)).SerializeToString())
        with pytest.raises(
            DataError, match=f"has {there} under 'label': it has to be the number of one class"
        ):
            [*records(tmp_path / f"e{number}")]
    with tf.io.TFRecordWriter(str(tmp_path / "d")) as writer:
        writer.write(b"\xff" * 9)
    with pytest.raises(DataError, match="record 0 is no tf.train.Example"):
        [*records(tmp_path / "d")]
