from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from resnet_edge.bundle.delegates import litert_npu_mediatek, litert_npu_qualcomm

BOTH = pytest.mark.parametrize("plug_in", [litert_npu_mediatek, litert_npu_qualcomm])


@BOTH
def test_operation_it_does_not_hand_on_is_named(nets: Path, plug_in: ModuleType) -> None:
    outlook = plug_in.outlook(nets / "reverse.tflite", "tflite")
    assert [each.op for each in outlook.left] == ["REVERSE_SEQUENCE"]


@BOTH
def test_it_does_not_claim_that_the_vendors_compiler_takes_it(nets: Path, plug_in: ModuleType) -> None:
    outlook = plug_in.outlook(nets / "relu_int8.tflite", "tflite")
    assert "is handed 3 of 3 operations" in outlook.sentence
    assert "was not asked" in outlook.sentence


def test_the_vendors_differ(nets: Path) -> None:
    assert litert_npu_qualcomm.outlook(nets / "cumsum.tflite", "tflite").left == ()
    (left,) = litert_npu_mediatek.outlook(nets / "cumsum.tflite", "tflite").left
    assert left.op == "CUMSUM"
