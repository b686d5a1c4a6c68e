"""What a node uses, by what is told of kernels for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compatibility.test_onnxruntime_kernels import KERNEL, of, state_of, step


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, "1.13"),
        ({"auto_pad": "SAME_LOWER", "strides": [1, 1]}, "1.12"),
        ({"output_shape": [8, 8], "strides": [2, 2]}, "1.14"),
        ({"output_shape": [7, 7], "strides": [2, 2]}, "1.12"),
        ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, "1.12"),
    ],
)
def test_what_a_transposed_convolution_pads(attributes: dict[str, Any], version: str) -> None:
    assert state_of(of([step("ConvTranspose", "x", "w", **attributes)], w=KERNEL)) == ("known", version)


def test_which_axes_are_resized() -> None:
    for scales, version in (([1, 1, 2, 2], "1.6"), ([1, 2, 2, 1], "1.12")):
        node = step("Resize", "x", "", "s", mode="linear")
        assert of([node], 13, s=np.array(scales, np.float32)).version == version


def test_one_dequantized_value_read_twice() -> None:
    for kind, version in (("Add", "1.15"), ("Sub", "1.12")):
        nodes = [
            step("QuantizeLinear", "x", "s", "z", out="q"),
            step("DequantizeLinear", "q", "s", "z", out="d"),
            step(kind, "d", "d", out="e"),
            step("QuantizeLinear", "e", "s", "z", out="f"),
            step("DequantizeLinear", "f", "s", "z"),
        ]
        assert of(nodes, s=np.float32(0.1), z=np.uint8(128)).version == version
