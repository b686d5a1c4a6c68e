"""The Keras model itself, compiled by TensorFlow: what artifacts are compared with.

`gpu` computes in float32; `gpu-tf32` as TensorFlow does on its own since 2.4, with ten bits of mantissa
(https://github.com/tensorflow/community/pull/247).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from resnet_edge.backends._border import check_device
from resnet_edge.backends._keras import KerasSession, check_threads, choose, opened
from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.models.compiled import compiled

FORMATS = frozenset({"keras"})
FIRST_FOR_MODELS = True
DEVICES = frozenset({"cpu", "gpu", "gpu-tf32"})

choose("tensorflow")


def version() -> str:
    """The version of TensorFlow."""
    return str(tf.__version__)


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[KerasSession]:
    """Open a .keras or .h5 file. Raises DeviceUnavailable, ArtifactError."""
    check_device("keras", device, DEVICES, "TensorFlow has no such device")
    _use(threads)
    place = "/CPU:0"
    if device != "cpu":
        place = _gpu()
        tf.config.experimental.enable_tensor_float_32_execution(device == "gpu-tf32")
    with tf.device(place):
        model = opened(path)
        network = compiled(model.network)

    def run(images: NDArray[Any]) -> NDArray[Any]:
        with tf.device(place):
            outputs: NDArray[Any] = network(tf.constant(np.ascontiguousarray(images))).numpy()
        return outputs

    yield KerasSession(path, model, run, device)


def _gpu() -> str:
    if not tf.config.list_physical_devices("GPU"):
        raise DeviceUnavailable(
            "TensorFlow sees no GPU: pip install 'tensorflow[and-cuda]' on a machine that has one, "
            "or use the device cpu"
        )
    return "/GPU:0"


def _use(threads: int) -> None:
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    with suppress(RuntimeError):  # it computes already, with what it has
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    check_threads(threads, tf.config.threading.get_intra_op_parallelism_threads())
