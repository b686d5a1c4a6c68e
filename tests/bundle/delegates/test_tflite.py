from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.bundle.delegates import coreml, litert_gpu, litert_npu_mediatek, litert_npu_qualcomm
from resnet_edge.bundle.delegates._tflite import operations, parts
from resnet_edge.graph.model import OP_NAMES


@pytest.mark.parametrize(
    "known", [coreml.KNOWN, litert_gpu.PARSED, litert_npu_mediatek.LEGALIZED, litert_npu_qualcomm.LEGALIZED]
)
def test_rules_are_about_operations_that_there_are(known: frozenset[str]) -> None:
    """A name that is misspelt would leave its operation to the CPU."""
    assert known - set(OP_NAMES.values()) == set()


def test_operation_in_the_middle_cuts_a_graph_in_two(nets: Path) -> None:
    ops = operations(nets / "reverse.tflite")
    taken = [each.op != "REVERSE_SEQUENCE" for each in ops]
    assert [[ops[i].op for i in piece] for piece in parts(ops, taken)] == [
        ["CONV_2D"],
        ["MEAN", "FULLY_CONNECTED"],
    ]


def test_all_or_nothing_is_one_piece_or_none(nets: Path) -> None:
    ops = operations(nets / "reverse.tflite")
    assert [len(piece) for piece in parts(ops, [True] * len(ops))] == [len(ops)]
    assert parts(ops, [False] * len(ops)) == []
