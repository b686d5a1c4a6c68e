"""How kernels move over their images, beside ONNX's own reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from resnet_edge.graph.window import Window, added, onnx_window, same

NUMBERS = st.tuples(st.integers(1, 9), st.integers(1, 9))
FEW = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(NUMBERS, st.tuples(st.integers(1, 5), st.integers(1, 5)), FEW, FEW, st.booleans())
def test_same_gives_an_output_for_each_stride(
    image: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    odd: bool,
) -> None:
    pads = same(image, kernel, stride, dilation, odd_first=odd)
    assert pads is not None
    for size, taps, step, apart, before, after in zip(
        image, kernel, stride, dilation, pads[:2], pads[2:], strict=True
    ):
        reach = (taps - 1) * apart + 1
        assert (size + before + after - reach) // step + 1 == -(-size // step)
        assert 0 <= (before - after if odd else after - before) <= 1
        if before + after:  # and not one zero too many
            assert (size + before + after - 1 - reach) // step + 1 < -(-size // step)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
@pytest.mark.parametrize(("size", "stride"), [((5, 6), (2, 2)), ((7, 4), (1, 3))])
def test_what_auto_pad_says_is_what_pads_say(
    mode: str, size: tuple[int, int], stride: tuple[int, int]
) -> None:
    attributes: dict[str, Any] = {"auto_pad": mode, "strides": list(stride)}
    if mode == "NOTSET":
        attributes["pads"] = [1, 0, 2, 1]
    window = onnx_window(attributes | {"auto_pad": mode.encode()}, (3, 2), size)
    assert window.padding is not None
    image = np.random.default_rng(0).normal(size=(1, 1, *size)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(size=(1, 1, 3, 2)).astype(np.float32)
    by_name = ReferenceEvaluator(helper.make_node("Conv", ["x", "w"], ["y"], **attributes))
    top, left, bottom, right = window.padding
    padded = np.pad(image, ((0, 0), (0, 0), (top, bottom), (left, right)))
    by_pads = ReferenceEvaluator(helper.make_node("Conv", ["x", "w"], ["y"], strides=list(window.stride)))
    ours, theirs = (
        np.asarray([*evaluator.run(None, {"x": x, "w": kernel})][0])
        for evaluator, x in ((by_pads, padded), (by_name, image))
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("image", [(), (0, 5), (5, 0)])
def test_the_padding_of_an_image_of_no_known_size_is_not_known(image: tuple[int, ...]) -> None:
    assert onnx_window({"auto_pad": b"SAME_UPPER"}, (3, 3), image).padding is None
    assert onnx_window({"pads": [1, 1, 1, 1]}, (3, 3), image).padding == (1, 1, 1, 1)


def test_what_is_not_said_has_its_default() -> None:
    assert onnx_window({}, (3, 3), ()) == Window((3, 3))
    assert onnx_window({"strides": [], "dilations": [], "pads": []}, (3, 3), ()) == Window((3, 3))


def test_paddings_go_around_each_other() -> None:
    assert added((1, 2, 3, 4), (10, 20, 30, 40)) == (11, 22, 33, 44)
