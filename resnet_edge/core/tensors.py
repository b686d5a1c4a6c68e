"""From real numbers to stored ones and back: the only scale and zero-point arithmetic here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, DataError


def quantize(real: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Real numbers in the dtype that `spec` stores.

    As ONNX defines QuantizeLinear: the float32 quotient is rounded half to even, the zero
    point added, and what lies outside the dtype's range is clipped to its ends. A float
    tensor is cast. Raises DataError for NaN, ArtifactError where `spec` has no scale.
    """
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return real.astype(dtype)
    scale, zero_point = _aligned(spec, real.ndim)
    steps = np.rint(real.astype(np.float32) / scale).astype(np.float64) + zero_point
    if np.isnan(steps).any():
        raise DataError(f"NaN cannot be stored in {spec.name!r} ({spec.dtype}): fix the data")
    ends = np.iinfo(dtype)
    stored: NDArray[Any] = np.clip(steps, ends.min, ends.max).astype(dtype)
    return stored


def dequantize(stored: NDArray[Any], spec: TensorSpec) -> NDArray[np.float32]:
    """Stored numbers as float32: scale * (stored - zero_point), computed in float32.

    A float tensor is cast. Raises ArtifactError where `spec` has no scale.
    """
    if np.dtype(spec.dtype).kind == "f":
        return stored.astype(np.float32)
    scale, zero_point = _aligned(spec, stored.ndim)
    result: NDArray[np.float32] = (stored.astype(np.int64) - zero_point).astype(np.float32) * scale
    return result


def _aligned(spec: TensorSpec, ndim: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scale (float32) and zero point (int64), shaped to broadcast along the spec's axis."""
    affine = spec.quantization
    if affine is None:
        raise ArtifactError(
            f"{spec.name!r} is {spec.dtype} without a scale in the file: its numbers mean nothing outside"
        )
    shape = _broadcast(affine, ndim)
    return np.array(affine.scale, np.float32).reshape(shape), np.array(affine.zero_point, np.int64).reshape(
        shape
    )


def _broadcast(affine: Quantization, ndim: int) -> tuple[int, ...]:
    if affine.axis is None:
        return ()
    return tuple(-1 if axis == affine.axis % ndim else 1 for axis in range(ndim))
