"""Steps of a file, written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from resnet_edge.diagnosis.layers.steps import Constant, LayerStep, OpenedSteps, StepGrid, Weights


def step(words: str, **more: Any) -> LayerStep:
    """One operation as `gives = op reads`; its kind is "other" if nothing else is said."""
    gives, op, *reads = words.replace(" =", "").split()
    return LayerStep(op=op, reads=tuple(reads), gives=(gives,), **{"kind": "other"} | more)


def opened(*steps: LayerStep | str, grids: dict[str, StepGrid] | None = None) -> OpenedSteps:
    """A file of these steps, from `image` to what the last of them gives."""
    all_steps = [step(each) if isinstance(each, str) else each for each in steps]
    return OpenedSteps(
        steps=tuple(all_steps),
        grids=grids or {},
        entry="image",
        exit=all_steps[-1].gives[0],
    )


def constant(*values: float) -> Constant:
    """Of float32."""
    return Constant(values=np.array(values), variance=np.zeros(()))


def weights(shape: Sequence[int], groups: int = 1) -> Weights:
    """Ones, in float."""
    kernel = np.ones(shape)
    return Weights(name="kernel", kernel=kernel, variance=np.zeros(shape), bias=None, groups=groups, axis=-1)
