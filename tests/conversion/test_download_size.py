"""The size of a gzip that is never written."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from resnet_edge.conversion.download_size import gzip_bytes
from resnet_edge.core.errors import OutputError


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_it_is_what_gzip_makes_of_it(tmp_path: Path, size: int) -> None:
    content = random.Random(0).randbytes(size // 2) + bytes(size - size // 2)
    (tmp_path / "file").write_bytes(content)
    assert gzip_bytes(tmp_path / "file") == len(gzip.compress(content, 9, mtime=0))


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="absent cannot be read back"):
        gzip_bytes(tmp_path / "absent")
