"""Tests of data.image_scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.data import blocks
from resnet_edge.data.image_scan import PIXELS, SAMPLED, digest, scan

IMAGES = np.random.default_rng(0).integers(3, 250, (30, 6, 5, 3)).astype(np.uint8)
IMAGES[4] = 77
IMAGES[7, 2, 3, 1], IMAGES[9, 0, 0, 2] = 0, 255


@pytest.mark.parametrize("block", [1, 1000, 1 << 24])
def test_a_scan_is_of_all_images_whatever_the_size_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", block)
    np.save(tmp_path / "a.npy", IMAGES)
    whole = scan(tmp_path / "a.npy")
    flat = IMAGES.reshape(len(IMAGES), -1).astype(int)
    assert (whole.n, whole.low, whole.high) == (30, 0.0, 255.0)
    assert whole.spans.tolist() == (flat.max(1) - flat.min(1)).tolist()
    assert whole.spans[4] == 0
    assert whole.digests == tuple(digest(image) for image in IMAGES)
    np.testing.assert_array_equal(whole.pixels, IMAGES.reshape(30, -1, 3))
    np.testing.assert_allclose(whole.quantiles[3], np.median(IMAGES.reshape(-1, 3), axis=0))


def test_of_many_and_large_images_a_sample_is_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(600 * 90 * 90, dtype=np.uint8).reshape(600, 90, 90, 1))
    sample = scan(tmp_path / "a.npy")
    assert sample.pixels.shape == (SAMPLED, PIXELS, 1)
    assert sample.n == 600


def test_only_the_digests_that_are_looked_for_are_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    matching = scan(tmp_path / "a.npy", only={digest(IMAGES[2])})
    assert matching.digests.index(digest(IMAGES[2])) == 2
    assert set(matching.digests) == {digest(IMAGES[2]), b""}


def test_no_image_has_no_extremes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES[:0])
    empty = scan(tmp_path / "a.npy")
    assert (empty.n, len(empty.spans), empty.low > empty.high) == (0, 0, True)


def test_the_same_pixels_have_one_digest_as_bytes_and_as_floats() -> None:
    one = IMAGES[0]
    assert digest(one) == digest(one.astype(np.float32))
    assert digest(one.astype(np.float32) / 255) == digest(np.array(one.astype(np.float32) / 255))
    assert digest(one.astype(np.float32) + 0.5) != digest(one)
    assert digest(one.astype(np.float32) - 300) != digest(one)
    changed = one.copy()
    changed[-1, -1, -1] ^= 1
    assert digest(changed) != digest(one)


def test_the_two_zeros_are_one() -> None:
    half = np.array([[[0.5], [0.0]]], np.float32)
    assert digest(half * np.array([[[1], [-1]]], np.float32)) == digest(half)
