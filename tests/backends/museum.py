"""What files give on pinned runtimes: `benchmarks/museum.py` prints it, and test_museum.py holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.bundle.runtime_agreement import SAME_ENOUGH
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.tensors import dequantize
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.predict import stored


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A file on a runtime: of `n` images, `right` get the right answer, and `same` the answer of today's
    runtime. `refusal`: why it does not open or run, empty where it does."""

    n: int = 0
    right: int = 0
    same: int = 0
    refusal: str = ""

    @property
    def wrong(self) -> bool:
        """It opens, and does not answer as today's runtime does."""
        return not self.refusal and self.same < SAME_ENOUGH * self.n


def table(
    files: list[Path], backends: list[str], images: NDArray[Any], labels: NDArray[np.integer]
) -> dict[tuple[str, str], Cell]:
    """Each file on the runtimes that open its format, by name of the file and of the backend; the first is
    today's runtime. Raises MissingDependency."""
    cells = {}
    for file in files:
        today = FIRST_BACKEND[file.suffix[1:]]
        truth = answers(file, today, images)
        for name in (today, *backends):
            if file.suffix[1:] not in registry.load("backends", name).FORMATS:
                continue
            try:
                predicted = answers(file, name, images)
            except ArtifactError as error:
                cells[file.name, name] = Cell(refusal=str(error))
                continue
            right, same = int((predicted == labels).sum()), int((predicted == truth).sum())
            cells[file.name, name] = Cell(n=len(images), right=right, same=same)
    return cells


def answers(file: Path, backend: str, images: NDArray[Any]) -> NDArray[np.integer]:
    """The best classes (N,). Raises ArtifactError, MissingDependency."""
    module: Any = registry.load("backends", backend)
    with module.open_session(file, "cpu", 1) as session:
        inputs = stored(images, session.input)
        each = getattr(session, "each", None)
        outputs = each(inputs) if each else np.concatenate([session.run(one[None]) for one in inputs])
        classes: NDArray[np.integer] = dequantize(outputs, session.output).argmax(1)
        return classes
