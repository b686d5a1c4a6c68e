"""The Keras model compiled by JAX (XLA), in a process where Keras computes with JAX.

`gpu` computes in float32 (matmul precision `highest`); `gpu-tf32` as JAX does on its own
(https://docs.jax.dev/en/latest/jax.lax.html#jax.lax.Precision).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import check_device
from resnet_edge.backends._keras import KerasSession, check_threads, choose, opened
from resnet_edge.core.errors import DeviceUnavailable

FORMATS = frozenset({"keras"})
DEVICES = frozenset({"cpu", "gpu", "gpu-tf32"})

choose("jax")
_threads: int | None = None


def version() -> str:
    """The version of JAX."""
    return str(jax.__version__)


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[KerasSession]:
    """Open a .keras or .h5 file. Raises DeviceUnavailable, ArtifactError."""
    check_device("keras_jax", device, DEVICES, "JAX has no such device")
    _use(threads)
    place = _place(device)
    with jax.default_device(place), jax.default_matmul_precision(_precision(device)):
        model = opened(path)
        weights = [variable.value for variable in model.trackable.variables]
        weights = jax.device_put(weights, place)
        network = jax.jit(lambda values, images: _stateless(model, values, images))

    def compiled(images: NDArray[Any]) -> NDArray[Any]:
        with jax.default_device(place), jax.default_matmul_precision(_precision(device)):
            # A copy: what JAX gives on the CPU is memory of its own, and not to be written to.
            return np.array(network(weights, images))

    yield KerasSession(path, model, compiled, device)


def _stateless(model: Any, values: Any, images: Any) -> Any:
    """The network as a function of its weights: constants inside would be folded for minutes."""
    import keras

    mapping = list(zip(model.trackable.variables, values, strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        return model.network(images)


def _place(device: str) -> Any:
    try:
        return jax.devices("cpu" if device == "cpu" else "gpu")[0]
    except RuntimeError as error:
        raise DeviceUnavailable(
            "JAX sees no GPU: pip install 'jax[cuda13]' (cuda12 for a driver before 580) on a machine that "
            "has one, or use the device cpu"
        ) from error


def _precision(device: str) -> str:
    return "tensorfloat32" if device == "gpu-tf32" else "highest"


def _use(threads: int) -> None:
    """XLA has as many threads as there are cores that the process may use, unless it is told to have one."""
    global _threads
    if _threads is None:
        if threads == 1:
            flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
        _threads = threads
    check_threads(threads, _threads)
