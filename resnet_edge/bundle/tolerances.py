"""Runs in a worker. How far the scores of a bundled file may be from the golden ones, by runtime.

The gates are those of golden vectors (golden/tolerances.py): what was measured between runtimes and
processors once, and not in the run that saves. What this run has measured is told beside them, and a runtime
that is farther off is a finding; it widens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.backend_name import placed
from resnet_edge.core.head import Head
from resnet_edge.core.results.bundle import BundledFile, RuntimeTolerance
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.kernels import kernels_of
from resnet_edge.golden.tolerances import FLOAT, Gate, allowed, gate_of, limit_words, quantization_step


@dataclass(frozen=True, kw_only=True)
class BundledScores:
    """A file, the outputs (N, outputs) of its artifact, whose head is `head`, and the scores (N, classes)
    that the file must give for the same images."""

    file: BundledFile
    head: Head
    artifact: NDArray[Any]
    expected: NDArray[Any]

    @property
    def step(self) -> tuple[float, ...] | None:
        """Of what the file gives, or the network in it."""
        grid = self.file.output.quantization
        return grid.scale if grid is not None else quantization_step(self.file.scheme, self.artifact)

    def gate(self, device: str, runtime: str = "") -> Gate:
        """What holds on `runtime` against the one that the golden scores are from; with no name, on any."""
        same = kernels_of(runtime) == kernels_of(FIRST_BACKEND[self.file.format])
        return gate_of(self.file.scheme, self.step, device, runtime if same else "")

    def limit(self, gate: Gate, rows: slice | list[int]) -> float:
        """How far a score may be off on the images `rows`."""
        scores = self.expected[rows].astype(np.float64)
        if self.head.output == self.file.scores:
            return allowed(gate, self.step, float(np.abs(self.expected).max()))
        most = allowed(gate, self.step, float(np.abs(self.artifact).max()))
        # Two logits of a softmax may be off in opposite directions; a sigmoid has its own alone.
        return behind_softmax(scores, most if self.head.separate else 2 * most) + FLOAT.share


def behind_softmax(shares: NDArray[Any], most: float) -> float:
    """How far probabilities can move where a logit moves by `most` against all others, which stay."""
    inner = np.clip(shares, 1e-12, 1 - 1e-12)
    odds = np.log(inner / (1 - inner))
    return float(max(np.abs(1 / (1 + np.exp(-(odds + way))) - inner).max() for way in (-most, most)))


def runtime_tolerances(
    scores: BundledScores, rows: list[int], measured: Mapping[str, float]
) -> tuple[tuple[RuntimeTolerance, ...], tuple[str, ...]]:
    """What holds on the golden images `rows`: on each runtime of `measured`, which has the largest difference
    on all images, and by the name `default` on any other. And in sentences where more than that was measured:
    findings."""
    n, first = len(scores.expected), FIRST_BACKEND[scores.file.format]
    tolerances, beyond = [], []
    for runtime, most in measured.items():
        gate = scores.gate(placed(runtime)[1], runtime)
        tolerances.append(
            RuntimeTolerance(
                runtime,
                scores.limit(gate, rows),
                f"{limit_words(gate, scores.step)}: {gate.why}; here, on {n:,} images: {most:.3g}",
            )
        )
        usual = scores.limit(gate, slice(None))
        if most > usual:
            beyond.append(
                f"{scores.file.path}: {runtime} is up to {most:.3g} from {first}, more "
                f"than the {usual:.3g} that are usual; nothing was widened"
            )
    gate = scores.gate("")
    why = f"{limit_words(gate, scores.step)}: {gate.why}; here at most {max(measured.values()):.3g}"
    return (*tolerances, RuntimeTolerance("default", scores.limit(gate, rows), why)), tuple(beyond)
