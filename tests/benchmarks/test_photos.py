"""The split of photos that the benchmark trains and proves on."""

from __future__ import annotations

from collections import Counter

from benchmarks.photos.folder import SOME, split_cells

LABELS = "\n".join(
    f"images/{kind}{probability[:3]}{n:04d}.png  {probability}  {kind}"
    for kind in ("mono", "poly")
    for probability in ("0.0", "0.3333333333333333", "0.6666666666666666", "1.0")
    for n in range(100)
)


def test_no_photo_is_trained_on_and_proved_on_and_every_group_is_in_both() -> None:
    splits = split_cells(LABELS)
    names = {split: {image for image, _ in cells} for split, cells in splits.items()}
    assert not names["train"] & names["test"]
    assert len(names["train"] | names["test"]) == 800
    assert names["some"] < names["train"]
    groups = Counter(image[:14] for image in names["test"])
    assert set(groups.values()) == {25}
    assert len(names["some"]) == 8 * SOME
    assert splits == split_cells(LABELS)


def test_a_cell_is_defective_that_is_more_likely_so_than_not() -> None:
    labels = dict(split_cells(LABELS)["train"])
    assert {label for image, label in labels.items() if "mono0.3" in image} == {"mono_sound"}
    assert {label for image, label in labels.items() if "poly0.6" in image} == {"poly_defective"}
