"""Functions as TensorFlow's converter lowers them, and the same graph after a rewriting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_edge.graph.model import load_model, read_graph, save_model

Function = Callable[[Any], Any]
X: NDArray[np.float32] = np.concatenate(
    [np.linspace(-1000, 1000, 2001), np.linspace(-20, 20, 2001), np.geomspace(1e-8, 1, 47), [0.0] * 47]
).astype(np.float32)[None, :, None, None]
"""(1, 4096, 1, 1): the whole way, and the part of it where functions bend."""


def lowered(function: Function, path: Path, shape: tuple[int | None, ...] = X.shape) -> Path:
    """Write `function` of one float32 tensor to `path`."""
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()])
    path.write_bytes(converter.convert())
    return path


def rewritten(path: Path, how: Callable[[Any], int]) -> tuple[Path, int]:
    """The graph behind `how`, in a file beside it, and what `how` says."""
    model, out = load_model(path), path.with_suffix(".rewritten.tflite")
    count = how(model)
    save_model(model, out)
    return out, count


def operations(path: Path) -> list[str]:
    """The names of the operations, in order."""
    return [node.op for node in read_graph(path).nodes]
