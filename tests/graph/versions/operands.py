"""What operators read and give, written down by hand."""

from __future__ import annotations

from resnet_edge.graph.versions.operation import Operand


def operand(dtype: str, *shape: int, scales: int = 0, axis: int = 0) -> Operand:
    """With so many scales along an axis."""
    return Operand(
        dtype=dtype, shape=shape, scales=(0.5,) * scales, axis=axis, quantized=scales > 0, sparse=False
    )
