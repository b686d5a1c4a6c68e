"""What the Keras backends share: a model file as a session, whatever computes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_file, misfit
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, ModelError, UsageError, first_line
from resnet_edge.models import ModelRequest, OpenedModel, open_model
from resnet_edge.workers.progress import silent

VARIABLE = "KERAS_BACKEND"
Compiled = Callable[[NDArray[Any]], NDArray[Any]]


def choose(backend: str) -> None:
    """Make Keras compute with `backend` in this process, whatever KERAS_BACKEND says. Raises UsageError
    where it computes with another already."""
    said = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = backend
    try:
        import keras
    finally:  # other processes choose for themselves
        del os.environ[VARIABLE]
        if said is not None:
            os.environ[VARIABLE] = said
    if keras.backend.backend() != backend:
        raise UsageError(
            f"Keras computes with {keras.backend.backend()} in this process, and not with {backend}: "
            "open the model in a process of its own"
        )


def opened(path: Path) -> OpenedModel:
    """The model in a file, with its own input. Raises ArtifactError."""
    check_file(path)
    try:
        return open_model(ModelRequest(str(path), preprocess="none"), silent)
    except ModelError as error:
        raise ArtifactError(str(error)) from error
    except UsageError as error:  # its options are those of commands that read a model
        raise ArtifactError(
            f"{path} takes images of any size, and alone it says none: name what `convert` made of it"
        ) from error


def check_threads(threads: int, had: int) -> None:
    """Raise DeviceUnavailable unless the process, which has its threads for good, has as many as asked."""
    if threads != had:
        raise DeviceUnavailable(
            f"this process computes with {had or 'all'} threads for good: open it with {threads} in another"
        )


class KerasSession:
    """A compiled model. `input` is the model's own: what pixels need before it is not part of it."""

    def __init__(self, path: Path, model: OpenedModel, compiled: Compiled, device: str) -> None:
        self.input = TensorSpec("image", (_batch(model), *model.facts.input_shape), "float32")
        self.output = TensorSpec(model.facts.output, (_batch(model), model.facts.head.outputs), "float32")
        self.device = device
        self._path, self._compiled = path, compiled
        self._fits: set[tuple[int, ...]] = set()

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if images.shape not in self._fits or images.dtype != np.float32:
            if reason := misfit(images, self.input):
                raise ArtifactError(f"{self._path}: {reason}")
            self._fits.add(images.shape)
        try:
            return self._compiled(images)
        except Exception as error:  # the model's own code, and what its framework makes of a failure
            raise ArtifactError(f"{self._path} does not run ({first_line(error)}): {AGAIN}") from error


def _batch(model: OpenedModel) -> int | None:
    """The batch size that a functional model was built for; None: any."""
    shape = getattr(model.trackable, "input_shape", None)
    size = shape[0] if isinstance(shape, tuple) and shape else None
    return size if isinstance(size, int) else None
