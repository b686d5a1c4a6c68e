"""`resnet-edge verify` and `convert` on shards and folders of photos, as users run them."""

from __future__ import annotations

import io
import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place, tinted_images
from tests.data.shards.writing import Labelled, encoded, samples, write_parquet, write_tar, write_tfrecord


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


@pytest.fixture(scope="module")
def photos() -> list[Labelled]:
    """As PNG, from which the very pixels come back."""
    images, labels = tinted_images(600, seed=2)
    return [(encoded(image), int(label)) for image, label in zip(images, labels, strict=True)]


def write_array(path: Path, photos: list[Labelled]) -> Path:
    from PIL import Image

    pixels = np.stack([np.asarray(Image.open(io.BytesIO(photo))) for photo, _ in photos])
    np.savez(path, images=pixels, labels=np.array([label for _, label in photos]))
    return path


def verified(place: Place, given: Given, converted: Path, data: Path | str, *words: str) -> Ended:
    options = [
        "--reference",
        str(given.model),
        "--data",
        str(data),
        "--max-drop",
        "2",
        "--backends",
        "litert",
    ]
    environment = {"XDG_CACHE_HOME": str(place.here.parent / "cache")}
    return place.run(str(converted / "tiny.int8.tflite"), *options, "--json", *words, environment=environment)


@pytest.mark.slow
def test_every_figure_is_that_of_an_array(
    place: Place, given: Given, converted: Path, photos: list[Labelled]
) -> None:
    """To the bit: verdicts, intervals, decibels, layers and causes."""
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    here = place.here
    write_array(here / "a.npz", photos)
    write_tar(here / "s-000.tar", samples(photos[:250], end="png"))
    write_tar(here / "s-001.tar", samples(photos[250:], 250, end="png"))
    write_tfrecord(here / "t", photos)
    write_parquet(here / "p", photos)
    ended = verified(place, given, converted, "a.npz")
    assert ended.code == 0, ended.err
    array = json.loads(ended.out)
    for data in ("s-{000..001}.tar", "t", "p"):
        ended = verified(place, given, converted, data)
        assert ended.code == 0, ended.err
        shards = json.loads(ended.out)
        assert shards["data"]["sha256"] == array["data"]["sha256"]
        for key in ("parity", "explanations", "attribution", "passed", "max_drop_pp", "notes", "artifacts"):
            assert shards.get(key) == array.get(key), key
    assert place.is_clean()


@pytest.mark.slow
def test_convert_calibrates_and_proves_on_shards(
    tmp_path: Path, given: Given, photos: list[Labelled]
) -> None:
    place = Place(tmp_path)
    write_tar(place.here / "s-000.tar", samples(photos, end="png"))
    write_array(place.here / "a.npz", photos)
    reports = []
    for data, out in (("s-*.tar", "streamed"), ("a.npz", "array")):
        words = (
            "--data",
            data,
            "--schemes",
            "int8",
            "--latency-seconds",
            "0",
            "--max-drop",
            "5",
            "--out",
            out,
        )
        ended = place.run(str(given.model), *words)
        assert ended.code == 0, ended.err
        reports.append(json.loads((place.here / out / "report.json").read_text()))
    streamed, array = reports
    assert streamed["parity"] == array["parity"]
    assert [one["sha256"] for one in streamed["artifacts"]] == [one["sha256"] for one in array["artifacts"]]
    assert place.is_clean()


def test_a_record_that_does_not_decode_ends_it_before_anything_is_run(
    place: Place, given: Given, converted: Path, photos: list[Labelled]
) -> None:
    spoilt = [*photos[:9], (photos[9][0][:200], 1), *photos[10:20]]
    write_tar(place.here / "s.tar", samples(spoilt, end="png"))
    ended = verified(place, given, converted, "s.tar")
    assert ended.code == 3
    assert json.loads(ended.out)["exit_code"] == 3
    assert "s.tar: record 9 does not decode as an image" in json.loads(ended.out)["error"]
    assert place.is_clean()


@pytest.mark.parametrize(
    ("files", "data", "message"),
    [
        ({"s.tar": b""}, "s.tar", "s.tar is called a tar and is empty"),
        ({"s.tar": b"x" * 600, "a.parquet": b"PAR1"}, ".", "does not begin as one: it is damaged"),
        ({}, "s-{0..2}.tar", "there is no file s-0.tar"),
        ({"s.zip": b"PK"}, "s.zip", "is a file of another kind: give fashion-mnist"),
    ],
)
def test_what_is_no_shard(
    place: Place, given: Given, converted: Path, files: dict[str, bytes], data: str, message: str
) -> None:
    for name, content in files.items():
        (place.here / name).write_bytes(content)
    ended = verified(place, given, converted, data)
    assert ended.code == 3
    assert message in json.loads(ended.out)["error"]
    assert "Traceback" not in ended.err
    assert place.is_clean()


def test_labels_beyond_the_classes(
    place: Place, given: Given, converted: Path, photos: list[Labelled]
) -> None:
    """ImageNet's TFRecords count from 1."""
    write_tar(
        place.here / "s.tar", samples([(photo, (label or 0) + 1) for photo, label in photos[:40]], end="png")
    )
    ended = verified(place, given, converted, "s.tar")
    assert ended.code == 3
    assert "and the model has 4 classes (0 to 3): fix the labels" in json.loads(ended.out)["error"]


@pytest.mark.slow
def test_the_reference_goes_on_where_a_run_was_killed(place: Place, given: Given, converted: Path) -> None:
    """What it kept is what the next run takes: outputs that were changed meanwhile show, and nothing is kept
    of a run that ended."""
    cache = place.here.parent / "cache"
    words = (str(converted / "tiny.fp32.tflite"), "--reference", str(given.model), "--data", str(given.data))
    running = place.start(*words, "--max-drop", "2", environment={"XDG_CACHE_HOME": str(cache)})
    until = time.monotonic() + 120
    while time.monotonic() < until and not [*cache.rglob("reference.0-*.npy")]:
        time.sleep(0.002)
    running.signal(signal.SIGKILL).finish()
    (kept,) = cache.rglob("reference.0-*.npy")
    outputs = np.load(kept)
    np.save(kept, np.roll(outputs, 1, axis=1))
    again = [*words, "--max-drop", "2", "--backends", "litert", "--no-explain", "--json"]
    ended = place.run(*again, environment={"XDG_CACHE_HOME": str(cache)})
    assert ended.code in (3, 4), ended.err
    assert json.loads(ended.out)["parity"][0]["agreement"] == pytest.approx(1 - len(outputs) / 3000)
    assert not [*cache.rglob("*.npy")]
    ended = place.run(*again, environment={"XDG_CACHE_HOME": str(cache)})
    assert json.loads(ended.out)["parity"][0]["agreement"] == 1.0
