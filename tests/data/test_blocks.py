"""Tests of data.blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.data import blocks as module
from resnet_edge.data.blocks import BLOCK, blocks, spans


@given(count=st.integers(0, 500), bytes_each=st.integers(0, 3 * BLOCK))
def test_every_row_is_in_one_block_and_a_block_is_bounded(count: int, bytes_each: int) -> None:
    rows = [range(count)[span] for span in spans(count, bytes_each)]
    assert [row for block in rows for row in block] == [*range(count)]
    assert all(len(block) == 1 or len(block) * bytes_each <= BLOCK for block in rows)
    assert all(rows), "no block is empty"


@pytest.mark.parametrize("shape", [(0, 4), (3, 4), (5, 30, 3)])
def test_the_blocks_of_a_file_are_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(module, "BLOCK", 200)
    held = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "a.npy", held)
    parts = [*blocks(tmp_path / "a.npy")]
    np.testing.assert_array_equal(np.concatenate([held[:0], *parts]), held)
    assert all(type(block) is np.ndarray for block in parts), "nothing stays mapped"
