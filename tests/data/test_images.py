"""DATA as arrays on disk: what is kept, held out, and refused."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.errors import DataError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.data import blocks as _blocks
from resnet_edge.data.image_file import open_images
from resnet_edge.data.images import decode, first, prepare
from resnet_edge.data.images_task import DecodeImages, Images, PrepareImages, TakeFirstImages
from resnet_edge.workers.progress import silent
from tests.data.photos import noise, save


@pytest.fixture
def request_(tmp_path: Path) -> PrepareImages:
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 1), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(60) % 3)
    return PrepareImages(
        data=str(tmp_path / "data.npz"),
        shape=(4, 4, 1),
        classes=3,
        preprocessing=PRESETS["unit"],
        folder=str(tmp_path),
    )


def test_held_out_images_are_balanced_and_not_among_those_of_the_proof(request_: PrepareImages) -> None:
    prepared = prepare(replace(request_, hold_out=200), silent)
    assert prepared.held_out is not None
    assert (prepared.evaluation.n, prepared.held_out.n) == (48, 12)
    kept, held = np.load(prepared.evaluation.images), np.load(prepared.held_out.images)
    assert not {image.tobytes() for image in kept} & {image.tobytes() for image in held}
    assert np.bincount(np.load(str(prepared.held_out.labels))).tolist() == [4, 4, 4]
    assert np.bincount(np.load(str(prepared.evaluation.labels))).tolist() == [16, 16, 16]


def test_a_limit_keeps_some_of_what_is_not_held_out(request_: PrepareImages) -> None:
    """The images of a bundle's proof are among those of `convert`'s, which has no limit."""
    whole = prepare(replace(request_, hold_out=200), silent)
    of_proof = {image.tobytes() for image in np.load(whole.evaluation.images)}
    few = prepare(replace(request_, hold_out=200, limit=9), silent)
    assert few.evaluation.n == 9
    assert {image.tobytes() for image in np.load(few.evaluation.images)} <= of_proof


def test_one_image_cannot_be_held_out_too(request_: PrepareImages, tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", images=np.zeros((1, 4, 4, 1), np.uint8))
    with pytest.raises(DataError, match="too few images to hold some out"):
        prepare(replace(request_, data=str(tmp_path / "one.npz"), hold_out=200), silent)


def test_a_limit_takes_as_many_of_every_class(request_: PrepareImages) -> None:
    evaluation = prepare(replace(request_, limit=9), silent).evaluation
    assert np.bincount(np.load(str(evaluation.labels))).tolist() == [3, 3, 3]


@pytest.mark.parametrize(("limit", "counts"), [(2, [1, 1]), (10, [4, 3, 3])])
def test_a_limit_is_kept_to_the_image(request_: PrepareImages, limit: int, counts: list[int]) -> None:
    evaluation = prepare(replace(request_, limit=limit), silent).evaluation
    assert evaluation.n == limit
    assert np.bincount(np.load(str(evaluation.labels))).tolist() == counts


def test_the_same_image_again_proves_nothing(request_: PrepareImages, tmp_path: Path) -> None:
    with np.load(request_.data) as held:
        np.savez(tmp_path / "again.npz", images=np.tile(held["images"][:30], (4, 1, 1, 1)))
    repeated = replace(request_, data=str(tmp_path / "again.npz"))
    with pytest.raises(DataError, match="30 different images among 120"):
        prepare(repeated, silent)
    assert prepare(replace(repeated, for_calibration=True), silent).evaluation.n == 120


def test_labels_matter_for_the_proof_and_not_for_calibration(request_: PrepareImages) -> None:
    few = replace(request_, classes=2)
    with pytest.raises(DataError, match="label 2 at image 2, and the model has 2 classes"):
        prepare(few, silent)
    assert prepare(replace(few, for_calibration=True), silent).evaluation.n == 60


@pytest.mark.parametrize("values", [(0.0, 1.0), (-1.0, 1.0), (0.0, 300.0)])
@pytest.mark.parametrize("for_calibration", [False, True])
def test_floats_that_are_no_pixels(
    request_: PrepareImages, tmp_path: Path, values: tuple[float, float], for_calibration: bool
) -> None:
    np.savez(tmp_path / "f.npz", images=np.linspace(*values, 160, dtype=np.float32).reshape(10, 4, 4, 1))
    bad = replace(request_, data=str(tmp_path / "f.npz"), for_calibration=for_calibration)
    with pytest.raises(DataError, match="give raw pixels"):
        prepare(bad, silent)
    assert prepare(replace(bad, preprocessing=PRESETS["none"]), silent).evaluation.n == 10


@pytest.mark.parametrize("spoil", [lambda x: x[:0], lambda x: x * np.nan], ids=["empty", "NaN"])
def test_calibration_data_that_is_none(request_: PrepareImages, tmp_path: Path, spoil: object) -> None:
    assert callable(spoil)
    np.savez(tmp_path / "bad.npz", images=spoil(np.ones((5, 4, 4, 1), np.float32)))
    with pytest.raises(DataError, match="holds no image|NaN or Inf in 5 images"):
        prepare(replace(request_, data=str(tmp_path / "bad.npz"), for_calibration=True), silent)


@pytest.mark.parametrize("block", [1, 100, 1 << 24])
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_blocks_give_the_bytes_and_the_digest_of_the_whole(
    request_: PrepareImages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block: int,
    labelled: bool,
    dtype: type,
) -> None:
    with np.load(request_.data) as held:
        images, labels = held["images"].astype(dtype), held["labels"]
    np.savez(tmp_path / "set.npz", images=images, **({"labels": labels} if labelled else {}))
    monkeypatch.setattr(_blocks, "BLOCK", block)
    prepared = prepare(replace(request_, data=str(tmp_path / "set.npz"), hold_out=9), silent)
    assert prepared.held_out is not None
    for part in (prepared.evaluation, prepared.held_out):
        kept, whole = np.load(part.images), io.BytesIO()
        np.save(whole, kept)
        assert Path(part.images).read_bytes() == whole.getvalue()
        stored_labels = np.load(part.labels).tobytes() if part.labels is not None else b""
        assert part.sha256 == hashlib.sha256(kept.tobytes() + stored_labels).hexdigest()
    kept = np.concatenate([np.load(part.images) for part in (prepared.evaluation, prepared.held_out)])
    assert {image.tobytes() for image in kept} == {image.tobytes() for image in images}


def test_a_seed_gives_one_order_of_the_same_images(request_: PrepareImages, tmp_path: Path) -> None:
    plain = prepare(request_, silent).evaluation
    kept = {image.tobytes(): label for image, label in _pairs(plain)}
    again = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        mixed = prepare(replace(request_, seed=0, folder=str(folder)), silent).evaluation
        again.append(mixed.sha256)
        pairs = [(image.tobytes(), label) for image, label in _pairs(mixed)]
        assert dict(pairs) == kept
        assert [image for image, _ in pairs] != [*kept]
    assert again[0] == again[1] != plain.sha256


@pytest.mark.parametrize("labelled", [True, False])
def test_the_first_are_as_if_there_were_no_more(
    request_: PrepareImages, labelled: bool, tmp_path: Path
) -> None:
    images = prepare(request_, silent).evaluation
    images = images if labelled else replace(images, labels=None)
    some = first(TakeFirstImages(images=images, n=7, folder=str(tmp_path)), silent)
    assert some.n == 7
    np.testing.assert_array_equal(np.load(some.images), np.load(images.images)[:7])
    assert (some.labels is None) == (not labelled)
    if labelled:
        assert np.load(str(some.labels)).tolist() == np.load(str(images.labels))[:7].tolist()


def _pairs(images: Images) -> list[tuple[np.ndarray, int]]:
    return [*zip(np.load(images.images), np.load(str(images.labels)).tolist(), strict=True)]


def test_each_image_keeps_the_name_of_its_file_or_its_row(request_: PrepareImages, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number in range(9):
        file = photos / "abc"[number % 3] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(file)
    for data in (str(photos), request_.data):
        prepared = prepare(replace(request_, data=data, hold_out=200, seed=0), silent)
        some = first(TakeFirstImages(images=prepared.evaluation, n=3, folder=str(tmp_path)), silent)
        assert prepared.held_out is not None
        for images in (prepared.evaluation, prepared.held_out, some):
            names = json.loads(Path(str(images.names)).read_text())
            assert len(names) == images.n
            pixels, labels = open_images(Path(images.images))[:], np.load(str(images.labels))
            for name, image, label in zip(names, pixels, labels, strict=True):
                if data == str(photos):
                    assert name == f"{'abc'[label]}/{image[0, 0, 0]}.png"
                else:
                    with np.load(data) as archive:
                        assert np.array_equal(archive["images"][int(name)], image)


def test_photos_are_no_array_but_for_calibration(request_: PrepareImages, tmp_path: Path) -> None:
    for row in range(30):
        save(tmp_path / "photos" / "abc"[row % 3] / f"{row}.png", noise(4, 4, row))
    of_photos = replace(request_, data=str(tmp_path / "photos"), shape=(4, 4, 3), hold_out=200)
    prepared = prepare(of_photos, silent)
    assert prepared.held_out is not None
    assert (prepared.evaluation.encoded, prepared.held_out.encoded) == (True, False)
    evaluation = prepared.evaluation
    whole = open_images(Path(evaluation.images))[:]
    digest = hashlib.sha256(whole.tobytes())
    digest.update(np.load(str(evaluation.labels)).tobytes())
    assert evaluation.sha256 == digest.hexdigest(), "that of the same array"
    out = str(tmp_path / "some.npy")
    decode(DecodeImages(images=evaluation.images, start=3, stop=9, out=out), silent)
    np.testing.assert_array_equal(np.load(out), whole[3:9])
    assert not prepare(replace(of_photos, hold_out=0, for_calibration=True), silent).evaluation.encoded
