"""The files that come with the package are found from wherever its modules stand."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled


@pytest.mark.parametrize("name", [MODEL_FILE, TEST_FILE, CALIBRATION_FILE])
def test_each_is_there(name: str) -> None:
    assert bundled(name).stat().st_size > 1000


def test_one_that_is_not() -> None:
    with pytest.raises(DataError, match="no-such"):
        bundled("no-such.npz")
