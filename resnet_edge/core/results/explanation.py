"""Where an artifact parts from the reference, and what is probably wrong, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LayerFinding:
    """Something that is wrong with one layer.

    `layer` is its name in the artifact, `reference_layer` in the reference; `order` counts the layers of the
    artifact from 0 (-1: the input, and the number of layers: the output). `cause` is a word for programs,
    `sentence` for people. `certain`: the file contradicts the reference (its weights are others), whatever
    the images show; else it is what the activations look like.
    """

    layer: str
    reference_layer: str
    order: int
    cause: str
    sentence: str
    certain: bool


@dataclass(frozen=True)
class LayerTrace:
    """The activations of one layer against the reference's: signal over noise, in decibels, of all and of the
    worst of what it reads (None: it reads the image, or a value is not finite)."""

    layer: str
    reference_layer: str
    sqnr_db: float | None
    read_db: float | None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What was found in one artifact, on `n` images; the first finding is the first in order of execution.

    `compared` of `layers` layers with weights have a counterpart in the reference; `remarks` say what could
    not be compared.
    """

    artifact: str
    n: int
    layers: int
    compared: int
    findings: tuple[LayerFinding, ...]
    trace: tuple[LayerTrace, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def contradictions(self) -> tuple[LayerFinding, ...]:
        """The findings that are certain."""
        return tuple(finding for finding in self.findings if finding.certain)
