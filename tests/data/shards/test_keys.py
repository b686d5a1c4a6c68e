"""Keys of photos and labels."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.shards.keys import label_key, photo_key


def test_the_first_known_key_is_taken() -> None:
    assert photo_key(["image", "image/encoded", "x"], ("image/encoded", "image"), "a") == "image/encoded"
    assert label_key(["label", "x_label"], ("label",), "a") == "label"
    assert label_key(["caption"], ("label",), "a") is None


def test_other_keys_are_told() -> None:
    with pytest.raises(
        DataError, match=r"a has no 'image'; it has img, label: call the bytes of the photo so"
    ):
        photo_key(["label", "img"], ("image",), "a")
    with pytest.raises(DataError, match=r"a has no 'label', and has fine_label: call the number"):
        label_key(["fine_label"], ("label",), "a")
