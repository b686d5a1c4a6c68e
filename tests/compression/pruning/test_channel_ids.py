"""Tests of the numbers of channels: what is the same, and what is always side by side."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.compression.pruning.channel_ids import ChannelIds, Ids, runs


def _rows(*tensors: Ids) -> list[list[int]]:
    return [run.tolist() for run in runs(tensors)]


def test_what_is_joined_goes_by_the_smaller_number() -> None:
    ids = ChannelIds()
    one, other, third = ids.new(3), ids.new(3), ids.new(3)
    ids.union(third, other)
    ids.union(other, one)
    tensors = ids.roots({"one": one, "third": third, "both": np.concatenate([one, other])})
    assert tensors["third"].tolist() == tensors["one"].tolist() == [0, 1, 2]
    assert tensors["both"].tolist() == [0, 1, 2, 0, 1, 2]


def test_a_concatenation_does_not_join_what_stands_alone_elsewhere() -> None:
    one, other = np.arange(3), np.arange(3, 5)
    assert _rows(np.concatenate([one, other])) == [[0, 1, 2, 3, 4]]
    assert _rows(one, np.concatenate([one, other]), other) == [[0, 1, 2], [3, 4]]
    assert _rows(one, np.tile(one, 4)) == [[0, 1, 2]]
    assert _rows(one, one[::-1].copy()) == [[0], [1], [2]]


def test_a_channel_that_is_added_to_another_of_its_layer_stands_alone() -> None:
    ids = ChannelIds()
    layer = ids.new(4)
    ids.union(layer[:2], layer[2:])
    assert _rows(*ids.roots({"layer": layer, "half": layer[:2]}).values()) == [[0, 1]]


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=4))
def test_every_tensor_consists_of_whole_rows(tensors: list[list[int]]) -> None:
    arrays = [np.array(tensor, np.int64) for tensor in tensors]
    first = {int(run[0]): run.tolist() for run in runs(arrays)}
    numbers = [number for row in first.values() for number in row]
    assert sorted(numbers) == sorted({number for tensor in tensors for number in tensor})
    for tensor in tensors:
        start = 0
        while start < len(tensor):
            row = first[tensor[start]]
            assert tensor[start : start + len(row)] == row
            start += len(row)
