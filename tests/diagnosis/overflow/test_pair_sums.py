"""Sums of two products within 16 bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.diagnosis.overflow.pair_sums import pair_sums


@given(st.lists(st.tuples(st.integers(-128, 127), st.integers(0, 255)), min_size=1, max_size=9))
def test_pairs_are_those_of_the_instruction(products: list[tuple[int, int]]) -> None:
    """VPMADDUBSW adds products 0 and 1, 2 and 3, and so on, and holds the sum within 16 bits."""
    weights = np.array([[weight] for weight, _ in products], np.int32)
    columns = np.array([[value] for _, value in products] + [[0]] * (len(products) % 2), np.int32)
    sums = [sum(w * v for w, v in products[at : at + 2]) for at in range(0, len(products), 2)]
    risk = pair_sums(weights)
    over = sum(total - min(max(total, -32768), 32767) for total in sums)
    assert risk.excess(columns).sum() == over
    assert risk.pairs == len(sums)
    assert (risk.worst > 1) == bool(len(risk.at))


def test_pairs_at_risk_stand_in_the_order_of_outputs() -> None:
    weights = np.array([[127, 1], [127, 1], [1, -128], [1, -128]], np.int32)
    risk = pair_sums(weights)
    assert risk.output.tolist() == [0, 1]
    assert risk.at.tolist() == [0, 2]
    assert (risk.first.tolist(), risk.second.tolist()) == ([127, -128], [127, -128])
    assert risk.worst == 2 * 128 * 255 / 32768
