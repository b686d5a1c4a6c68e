"""Runs in a worker. The layers of a graph run one by one, on images of whatever size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models.functional.flat import Call, FlatGraph, FlatTensor, filled

FAR = 1000.0
"""Put in place of a number of noise (0 to 1), no answer that is made of it stays; as float16 too."""

End = tuple[int, int]
"""An axis without the batch, and 0 or -1: the first or the last index along it."""


def run_call(call: Call, tensors: dict[FlatTensor, Any]) -> Any:
    """What it gives in inference, from the values of its inputs."""
    args, kwargs = filled(call, tensors)
    if isinstance(call.operation, keras.Layer) and call.operation._call_has_training_arg:
        kwargs = {**kwargs, "training": False}
    return call.operation(*args, **kwargs)


def run_layers(graph: FlatGraph, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the layers of `graph` themselves give on `images` (B, H, W, C) of any size, (B, ...).

    Raises ModelError, which names the layer, where one does not take what it gets, and where one puts numbers
    of an image in the place of more images or fewer: symbolically a batch has any length.
    """
    tensors: dict[FlatTensor, Any] = {graph.input: keras.ops.convert_to_tensor(images)}
    where = f"{graph.name} cannot be run on images of {images.shape[1]} x {images.shape[2]}"
    mixes: Call | None = None
    for call in graph.calls:
        try:
            output = run_call(call, tensors)
        except Exception as error:  # layers raise whatever their own checks and the framework raise
            raise ModelError(
                f"{where}: the layer {call.name} ({call.kind}) does not take what it gets "
                f"({first_line(error)}): leave this size out, or pool over all pixels before it"
            ) from error
        if call.inputs and len(output) != len(tensors[call.inputs[0]]):
            mixes = call
        tensors[call.output] = output
    answers = np.asarray(keras.ops.convert_to_numpy(tensors[graph.output]))
    if mixes is not None and len(answers) != len(images):
        raise ModelError(
            f"{where}: the layer {mixes.name} ({mixes.kind}) has a number of pixels in its shape, and "
            f"{len(images)} images would get {len(answers)} answers: leave this size out, or pool over all "
            "pixels before it"
        )
    return answers


def ends_read(call: Call, shape: Sequence[int], axes: Sequence[int]) -> frozenset[End]:
    """At which ends of `axes` of its one float input, of `shape` without the batch, what it gives depends on
    the numbers there: it is run on noise, and on noise with all numbers of an end far up or far down. Raises
    what the layer raises."""
    noise = np.random.default_rng(0).random((1, *shape), np.float32)
    plain = _given(call, noise)

    def read(axis: int, end: int) -> bool:
        changed = noise.copy()
        for value in (FAR, -FAR):  # a maximum shows the one, a minimum the other
            changed.swapaxes(0, axis + 1)[end] = value
            if not np.array_equal(_given(call, changed), plain):
                return True
        return False

    return frozenset((axis, end) for axis in axes for end in (0, -1) if read(axis, end))


def _given(call: Call, images: NDArray[np.float32]) -> NDArray[Any]:
    given = keras.ops.convert_to_tensor(images)
    return np.asarray(keras.ops.convert_to_numpy(run_call(call, {call.inputs[0]: given})))
