"""The photos of the package elpv-dataset as folders of class folders, for training and for the proof.

    pip download --no-deps elpv-dataset==1.0.0.post1
    python -m benchmarks.photos.folder elpv_dataset-1.0.0.post1-py3-none-any.whl FOLDER

2,624 electroluminescence images of solar cells, 8 bit grey, 300 x 300 (Deitsch et al., "Automatic
classification of defective photovoltaic module cells in electroluminescence images", Solar Energy 185 (2019)
455-468; CC BY-NC-SA 4.0: the images, and networks trained on them, stay with whoever ran this). The wheel is
read as an archive, nothing of it is installed.

Four classes: what the cell is made of, and whether experts think it is more likely defective than not (their
probability is 0, 1/3, 2/3 or 1). Two classes would do for a factory; with four of unequal size there is a
worst class and a confusion to look at. A quarter of each of the eight groups of type and probability is kept
for the proof, by a seed, so that doubtful cells are as frequent there as in training. Of those for training
fifty of each of the eight are in a folder of their own as well: for calibration, and for short trainings.
"""

from __future__ import annotations

import argparse
import random
import zipfile
from collections import defaultdict
from pathlib import Path

LABELS = "elpv_dataset/data/labels.csv"
SEED = 0
TEST_SHARE = 0.25
SOME = 50
"""Of each group."""


def main() -> None:
    """Write FOLDER/train, FOLDER/test and FOLDER/some."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    with zipfile.ZipFile(options.wheel) as wheel:
        for split, cells in split_cells(wheel.read(LABELS).decode("ascii")).items():
            for image, label in cells:
                into = options.folder / split / label / Path(image).name
                into.parent.mkdir(parents=True, exist_ok=True)
                into.write_bytes(wheel.read(f"elpv_dataset/data/{image}"))
            print(f"{split}: {len(cells):,} photos")


def split_cells(labels: str) -> dict[str, list[tuple[str, str]]]:
    """(image, class) of the photos for training, of those for the proof, and of some of the former, by lines
    of `image probability type`."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in labels.splitlines():
        image, probability, kind = line.split()
        groups[kind, probability].append(image)
    splits: dict[str, list[tuple[str, str]]] = {"train": [], "test": [], "some": []}
    for (kind, probability), images in sorted(groups.items()):
        label = f"{kind}_{'defective' if float(probability) > 0.5 else 'sound'}"
        shuffled = random.Random(f"{SEED} {kind} {probability}").sample(images, len(images))
        tested = round(TEST_SHARE * len(images))
        splits["test"] += [(image, label) for image in shuffled[:tested]]
        splits["train"] += [(image, label) for image in shuffled[tested:]]
        splits["some"] += [(image, label) for image in shuffled[tested : tested + SOME]]
    return splits


if __name__ == "__main__":
    main()
