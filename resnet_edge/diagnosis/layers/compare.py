"""Runs in a worker. The layers of one artifact against those of its reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.results.explanation import Explanation, LayerFinding, LayerTrace
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.diagnosis.layers.activation_functions import KEEPERS
from resnet_edge.diagnosis.layers.causes import NAMED_BY_OPERATION, REORDERS, Evidence, cause, listed, target
from resnet_edge.diagnosis.layers.departures import DepartureSums
from resnet_edge.diagnosis.layers.reordered import first_reordered
from resnet_edge.diagnosis.layers.search import Accused, Searched, search
from resnet_edge.diagnosis.layers.sections import FloatReference, Sections
from resnet_edge.diagnosis.layers.steps import LayerStep

SHOWN = 2
"""Images that are looked at to name a cause."""
STALE = 3
"""So many layers with other weights are another model's."""


def compared(file: str, path: Path, format: str, portable: Path, images: NDArray[Any]) -> Explanation:
    """What departs in `file` from the float graph `portable` on `images` (N, H, W, C). Raises ArtifactError
    where a file cannot be opened, run or cut."""
    sections = Sections(FloatReference(portable), path, format, images)
    searched = search(sections)
    report = _Report(sections, searched)
    weighted = [step for step in sections.reference.opened.steps if step.weights is not None]
    alone = report.judged_alone(weighted)
    return Explanation(
        artifact=file,
        n=len(sections.kept),
        layers=len(weighted),
        compared=len(alone),
        findings=tuple(map(_readable, report.findings())),
        trace=tuple(report.trace()),
        remarks=tuple(report.remarks(weighted, alone)),
    )


class _Report:
    """What a search found, in words."""

    def __init__(self, sections: Sections, searched: Searched) -> None:
        self.sections, self.searched = sections, searched
        self.order = {step.gives[0]: number for number, step in enumerate(sections.opened.steps)}

    def judged_alone(self, weighted: list[LayerStep]) -> list[LayerStep]:
        """Layers of the reference that end a section of their own, and were held to a bound that could have
        failed."""
        names = self.sections.reference.names
        judged = {names[i] for i in self.searched.cuts & self.sections.held(self.searched.first)}
        accused = {names[one.tensor] for one in self.searched.accused}
        return [step for step in weighted if step.gives[0] in judged | accused]

    def findings(self) -> list[LayerFinding]:
        """What is wrong, in the order of execution; then what explains a failure, and is no fault."""
        wrong = sorted((self._accusation(one) for one in self.searched.accused), key=lambda one: one.order)
        others = [one for one in wrong if one.cause == "other_weights"]
        if len(others) >= STALE:
            text = f"{len(others)} layers have other weights: it was made from another model or training"
            wrong.insert(0, replace(others[0], cause="stale", sentence=text))
        return [*wrong, *self._saturated()]

    def _accusation(self, one: Accused) -> LayerFinding:
        section = self.sections.section(one.tensor, one.cuts)
        theirs = self.sections.reference.maker(one.tensor)
        ours = _computing(section, theirs)
        evidence = self._evidence(one, theirs, ours, section)
        word, text = cause(evidence)
        ours = target(word, section, evidence.operations[0]) or ours
        reordered = None if word in NAMED_BY_OPERATION else first_reordered(self.sections, one)
        if reordered is not None and (word != "output_channels" or self._before(reordered[0], ours)):
            ours, word = reordered[0], "output_channels"
            text = f"its channels {listed(reordered[1])} are in another order"
        whole = "" if one.exact else self._until(one)
        return LayerFinding(
            layer=ours.gives[0],
            reference_layer=self.sections.reference.names[one.tensor],
            order=self.order[ours.gives[0]],
            cause=word,
            sentence=f"{ours.gives[0]}: {text}{whole}",
            certain=True,
        )

    def _until(self, one: Accused) -> str:
        shown = self.sections.matches[one.shown].name
        return f" (or a layer between it and {shown.split(';')[0]}, where it shows)"

    def _evidence(
        self, one: Accused, theirs: LayerStep | None, ours: LayerStep, section: list[LayerStep]
    ) -> Evidence:
        cuts = self.searched.first is one.judged and frozenset(self.sections.matches) or one.cuts
        pairs = [
            (expected[one.tensor], seen[one.tensor])
            for _, (expected, seen) in zip(range(SHOWN), self.sections.replayed(cuts), strict=False)
        ]
        expected, seen = (np.concatenate(side) for side in zip(*pairs, strict=True))
        held = {name for step in section for name in step.gives}
        oddity = next((text for name, text in self.sections.opened.oddities if name in held), "")
        return Evidence(
            theirs=theirs,
            ours=ours,
            departure=one.departure,
            sums=one.judged.sums[one.tensor],
            expected=expected,
            seen=seen,
            oddity=oddity,
            foreign=self._foreign(one, section),
            operations=(
                frozenset(step.op for step in self.sections.expected(one.tensor, one.cuts)),
                frozenset(step.op for step in section),
            ),
        )

    def _foreign(self, one: Accused, section: list[LayerStep]) -> tuple[str, ...]:
        known = {step.op for step in self.sections.expected(one.tensor, one.cuts)} | KEEPERS
        vocabulary = {step.op for step in self.sections.reference.opened.steps}
        mine = {step.op for step in self.sections.opened.steps}
        if not mine <= vocabulary | KEEPERS | REORDERS:  # another format has other words
            return ()
        return tuple(step.op for step in section if step.op in REORDERS - known)

    def _before(self, one: LayerStep, other: LayerStep) -> bool:
        return self.order[one.gives[0]] < self.order[other.gives[0]]

    def _saturated(self) -> Iterator[LayerFinding]:
        """Grids that cut off more than all else that is off in their tensor."""
        for i in self.sections.matches:
            limits, sums = self.sections.limits.get(i), self.sections.own[i]
            lost = float(sums.lost.sum())
            if i not in self.searched.cuts or limits is None or lost <= float(sums.error.sum()):
                continue
            step = _computing(self.sections.section(i, self.searched.cuts), None)
            loss = sqnr_db(float(sums.power.sum()) + lost, lost)
            ends = f"{limits[0].min():.4g} and {limits[1].max():.4g}"
            text = (
                f"{step.gives[0]}: its grid ends at {ends} and cuts off what is needed "
                f"(the signal over what is lost is {loss:.1f} dB): calibrate with more images"
            )
            name = self.sections.reference.names[i]
            yield LayerFinding(
                layer=step.gives[0],
                reference_layer=name,
                order=self.order[step.gives[0]],
                cause="saturated",
                sentence=text,
                certain=False,
            )

    def trace(self) -> Iterator[LayerTrace]:
        """Every matched tensor against the reference's own, in the order of the artifact."""
        noise = {i: _decibels(sums) for i, sums in self.sections.own.items()}
        for i in sorted(self.sections.matches, key=self._target):
            step = _computing(self.sections.section(i, frozenset(self.sections.matches)), None)
            yield LayerTrace(step.gives[0], self.sections.reference.names[i], noise[i], self._read(i, noise))

    def _target(self, tensor: int) -> int:
        return self.order.get(self.sections.matches[tensor].name, -1)

    def _read(self, tensor: int, noise: dict[int, float | None]) -> float | None:
        """The worst of what the section of a tensor reads."""
        ends = {match.name: i for i, match in self.sections.matches.items()}
        section = self.sections.section(tensor, frozenset(ends.values()) - {tensor})
        read = [noise[ends[name]] for step in section for name in step.reads if name in ends]
        return min((value for value in read if value is not None), default=None)

    def remarks(self, weighted: list[LayerStep], alone: list[LayerStep]) -> Iterator[str]:
        """What is odd in the file and shows nowhere, and what could not be judged by itself."""
        named = {finding.layer for finding in self.findings()} if self.searched.accused else set()
        for name, text in self.sections.opened.oddities:
            if name not in named:
                yield f"{name.split(';')[0]}: {text}; it shows nowhere"
        opaque = self.searched.first.opaque
        foreign = [step for step in self.sections.opened.steps if opaque.intersection(step.gives)]
        if foreign:
            names = ", ".join(f"{step.op} ({step.gives[0].split(';')[0]})" for step in foreign[:SHOWN])
            more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
            yield f"what reads {names}{more} is not judged: how rounding goes through that is not known"
        rest = len(weighted) - len(alone)
        if rest:
            yield (
                f"{rest} of {len(weighted)} layers are not judged by themselves: the file has no tensor that "
                "holds what they give, has it in another scale, or rounds it so that nothing is too much"
            )


def _computing(section: list[LayerStep], theirs: LayerStep | None) -> LayerStep:
    """The step that does what the reference's does: with such weights, or the last that has any; where the
    reference's has none, the first with weights, or the first that computes."""
    computing = [step for step in section if step.kind != "move" and step.op not in KEEPERS]
    if theirs is not None and theirs.weights is not None:
        shape = theirs.weights.kernel.shape
        alike = [s for s in computing if s.weights is not None and s.weights.kernel.shape == shape]
        weighted = [step for step in alike or computing if step.weights is not None]
        if weighted:  # what is before it would have been accused by itself
            return weighted[-1]
    weighted = [step for step in computing if step.weights is not None]
    return (weighted or computing or section)[0]


def _decibels(sums: DepartureSums) -> float | None:
    if not sums.finite:
        return None
    return sqnr_db(float(sums.power.sum()), float(sums.error.sum()))


def _readable(finding: LayerFinding) -> LayerFinding:
    """TFLite names a tensor after all operations that were fused into it, the last of them first."""
    short = finding.layer.split(";")[0]
    text = finding.sentence.replace(finding.layer, short) if short else finding.sentence
    return replace(finding, sentence=text)
