"""How a kernel moves over its image, of an ONNX node or a TFLite operator, with every default resolved.

Sources: https://onnx.ai/onnx/operators/onnx__Conv.html (`auto_pad`); TensorFlow's SAME, which is ONNX's
SAME_UPPER.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""


@dataclass(frozen=True)
class Window:
    """`kernel`, `stride` and `dilation` as (height, width). `padding` is None where it depends on the size of
    an image that is not known."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads | None = (0, 0, 0, 0)


def onnx_window(attributes: Mapping[str, Any], kernel: tuple[int, int], image: tuple[int, ...]) -> Window:
    """Of a convolution, by its attributes; `image` is (H, W), 0 or nothing where it is not known."""
    stride = tuple(attributes.get("strides") or (1, 1))
    dilation = tuple(attributes.get("dilations") or (1, 1))
    mode = attributes.get("auto_pad", b"NOTSET").decode()
    padding: Pads | None = tuple(attributes.get("pads") or (0, 0, 0, 0))
    if mode == "VALID":
        padding = (0, 0, 0, 0)
    elif mode.startswith("SAME"):
        padding = same(image, kernel, stride, dilation, odd_first=mode == "SAME_LOWER")
    return Window(kernel, stride, dilation, padding)


def same(
    image: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    *,
    odd_first: bool = False,
) -> Pads | None:
    """So many zeros that there is an output for each `stride` pixels; the odd one of them comes last."""
    if len(image) != 2 or not all(image):
        return None
    ends = []
    for size, taps, step, apart in zip(image, kernel, stride, dilation, strict=True):
        reach = (taps - 1) * apart + 1
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        less, more = total // 2, total - total // 2
        ends.append((more, less) if odd_first else (less, more))
    (top, bottom), (left, right) = ends
    return top, left, bottom, right


def added(one: Pads, other: Pads) -> Pads:
    """Both, one around the other."""
    top, left, bottom, right = (a + b for a, b in zip(one, other, strict=True))
    return top, left, bottom, right
