"""What a model of a file may ask for."""

from __future__ import annotations

from resnet_edge.models import _file_budget
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def test_a_small_file_has_room_for_few_weights() -> None:
    """Their first values take five times as much: 2.4 GB for 479 MB, which 25 kB had asked for."""
    held = [1_000, 10**7, 10**8, 10**10]
    assert [_file_budget.weights_for(each) for each in held] == [5 * 10**7, 10**8, 5 * 10**8, 10**10]
