"""Files that come with the package: the trained ResNet-20 and its data (`calibration/`)."""

from __future__ import annotations

from pathlib import Path

import resnet_edge
from resnet_edge.core.errors import DataError

PACKAGE = Path(resnet_edge.__file__).resolve().parent
MODEL_FILE = "resnet20_fashion_mnist.keras"
TEST_FILE = "fashion_mnist_test.npz"
BUNDLED = " (bundled)"
"""What a report appends to the name of the bundled model."""
CALIBRATION_FILE = "fashion_mnist_calibration.npz"
DATA = "fashion-mnist"
"""The DATA word of the data set that they are of."""


def unbundled(word: str) -> str:
    """The path of what a report calls bundled; any other word as it is. Raises DataError where it is not
    there."""
    return str(bundled(word.removesuffix(BUNDLED))) if word.endswith(BUNDLED) else word


def bundled(name: str) -> Path:
    """The path of a bundled file: inside an installed wheel, or in `calibration/` of a clone."""
    for folder in (PACKAGE / "calibration", PACKAGE.parent / "calibration"):
        if (folder / name).exists():
            return folder / name
    raise DataError(
        f"the bundled file {name} is missing: reinstall resnet-edge, or check out calibration/ whole"
    )
