"""Which tensors of an artifact depart, and which only look as if they did.

A tensor departs for one of three reasons: its section computes something else; it is no counterpart of the
reference's tensor (another scale, another place in the computation); or both. To tell them apart, the graph
is not cut at such tensors: what comes behind is then computed from before them. If it is right all the same,
the artifact computes what the reference does, and only writes it another way.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from resnet_edge.diagnosis.layers.departures import Departure
from resnet_edge.diagnosis.layers.scaled_weights import Scale
from resnet_edge.diagnosis.layers.scales import equalized, unscaled
from resnet_edge.diagnosis.layers.sections import JudgedLayers, Sections
from resnet_edge.diagnosis.layers.steps import SAME_VALUES


@dataclass(frozen=True, kw_only=True)
class Accused:
    """The tensor (of the reference, by number) that departs; `exact`: its section is all that does, and else
    what departs lies between it and `shown`, the tensor where it shows."""

    tensor: int
    departure: Departure
    shown: int
    judged: JudgedLayers
    cuts: frozenset[int]

    @property
    def exact(self) -> bool:
        """Whether one section is accused."""
        return self.tensor == self.shown


@dataclass(frozen=True, kw_only=True)
class Searched:
    """`cuts` are the tensors at which sections end that are judged; `first` is how all were judged when the
    graph was cut at every one."""

    accused: tuple[Accused, ...]
    cuts: frozenset[int]
    first: JudgedLayers


def search(sections: Sections) -> Searched:
    """With tensors as they are, or with the scales that the weights around them show, whichever parts fewer;
    and where that parts any, with those that they may have been given as well (scales.py), if fewer are
    accused with these, or if fewer part, and as many are accused that do not hang on them. Raises
    ArtifactError."""
    plain = sections.judged([*sections.matches])
    if not plain.parted:
        return _searched(sections, plain)
    shown = equalized(sections, plain)
    first = _first(sections, shown, plain)
    shown = shown if first is not plain else {}
    searched = _searched(sections, first)
    if not searched.first.parted:
        return searched
    sections.scale({})
    estimated = equalized(sections, plain, estimated=searched.first.parted)
    if estimated.keys() - shown.keys():
        first = _first(sections, estimated, plain)
        scaled = _searched(sections, first) if first is not plain else searched
        if len(scaled.accused) < len(searched.accused):
            return scaled
        if len(scaled.first.parted) < len(searched.first.parted):
            apart = _apart_from(scaled, sections, estimated.keys() - shown.keys())
            if len(apart.accused) >= len(searched.accused):
                return apart
    sections.scale(shown)
    return searched


def _apart_from(searched: Searched, sections: Sections, estimated: Set[int]) -> Searched:
    """Without accusations that hang on an estimate: of a tensor whose scale is one, or of what reads such a
    tensor."""
    accused = tuple(
        one
        for one in searched.accused
        if estimated.isdisjoint((one.tensor, one.shown, *sections.read_by(one.tensor, one.cuts)))
    )
    return replace(searched, accused=accused)


def _first(sections: Sections, scales: Mapping[int, Scale], other: JudgedLayers) -> JudgedLayers:
    """All tensors with `scales`, which stay, where that parts fewer than in the `other` way."""
    if not scales:
        return other
    before = sections.scales
    sections.scale(scales)
    judged = sections.judged([*sections.matches])
    if len(judged.parted) < len(other.parted):
        return judged
    sections.scale(before)
    return other


def _searched(sections: Sections, first: JudgedLayers) -> Searched:
    doubted = [i for i in sections.matches if i in first.departures]
    if not doubted:
        return Searched(accused=(), cuts=frozenset(sections.matches), first=first)
    return _Search(sections, first, doubted).searched()


class _Search:
    """The state of one search: `cuts` that hold, how all is judged with them, and what was accused."""

    def __init__(self, sections: Sections, first: JudgedLayers, doubted: list[int]) -> None:
        self.sections, self.first, self.doubted = sections, first, doubted
        self.exit = sections.reference.exit
        self.cuts = frozenset(sections.matches) - set(doubted)
        self.judged = sections.judged(self.cuts)
        self.accused: list[Accused] = []

    def searched(self) -> Searched:
        for tensor in self.doubted:
            if tensor != self.exit:
                self._try(tensor)
        self._rest()
        self._unseen()
        return Searched(accused=tuple(self.accused), cuts=self.cuts, first=self.first)

    def _bad(self, judged: JudgedLayers, cuts: frozenset[int]) -> set[int]:
        """Tensors that are taken as they are, and the output, where they depart; but for those accused."""
        known = {one.tensor for one in self.accused}
        return {i for i in judged.departures if (i in cuts or i == self.exit) and i not in known}

    def _try(self, tensor: int) -> None:
        """Cut at the tensor as well: where that explains what departs behind it, or all that reads it by far
        better than what the reference has in its place, it is the one."""
        cuts = self.cuts | {tensor}
        judged = self.sections.judged(cuts)
        before, after = self._bad(self.judged, self.cuts), self._bad(judged, cuts) - {tensor}
        if tensor in judged.departures and (after < before or self._explains(tensor, judged)):
            if self._hangs_on_one(tensor) or self._read_otherwise(tensor):
                return
            departure = judged.departures[tensor]
            self.accused.append(
                Accused(tensor=tensor, departure=departure, shown=tensor, judged=judged, cuts=self.cuts)
            )
            self.cuts, self.judged = cuts, judged
        elif after <= before and tensor not in judged.departures:
            self.cuts, self.judged = cuts, judged

    def _explains(self, tensor: int, judged: JudgedLayers) -> bool:
        """Whether what reads a tensor is off by less, all of it, and half as loud somewhere, when computed
        from the tensor as it is and not from before it: then the tensor is no other than the reference's."""
        everything = self.cuts | {tensor}
        behind = [i for i in self.sections.matches if tensor in self.sections.read_by(i, everything)]
        off = [(_error(judged, i), _error(self.judged, i)) for i in behind]
        return all(now <= then for now, then in off) and any(2 * now < then for now, then in off)

    def _read_otherwise(self, tensor: int) -> bool:
        """Whether what reads a tensor that is only moved before that (and is the same tensor there) is worse
        off with it as it is: then the tensor is another than the reference's, such as one before its ReLU,
        and sections go past it."""
        same = self._moved_from(tensor)
        if not same:
            return False
        now, then = self.sections.judged(self.cuts | same), self.sections.judged(self.cuts - same)
        everything = self.cuts | same
        behind = [
            i
            for i in self.sections.matches
            if i not in same and same.intersection(self.sections.read_by(i, everything))
        ]
        if not any(_error(now, i) > _error(then, i) for i in behind):
            return False
        self.cuts, self.judged = self.cuts - same, then
        return True

    def _moved_from(self, tensor: int) -> set[int]:
        """A tensor and those that hold the same values in another shape, by the reference; nothing where
        there are none."""
        moved, everything = {tensor}, [*self.sections.matches]
        for other in everything:
            read = self.sections.read_by(other, everything)
            section = self.sections.expected(other, everything)
            if moved.issuperset(read) and read and all(step.op in SAME_VALUES for step in section):
                moved.add(other)
        return moved if len(moved) > 1 else set()

    def _hangs_on_one(self, tensor: int) -> bool:
        """Whether a tensor departs only from one that it is computed from, and is nearer to what follows from
        before that, by the half of its error: then it is that one whose counterpart is in doubt, and sections
        go past it. Less may be chance, and more rounding is allowed from before."""
        error = _error(self.judged, tensor)
        for read in self.sections.read_by(tensor, self.cuts):
            judged = self.sections.judged(self.cuts - {read})
            known = tensor in judged.departures or tensor in judged.unknown
            if not known and 2 * _error(judged, tensor) < error:
                self.cuts, self.judged = self.cuts - {read}, judged
                return True
        return False

    def _unseen(self) -> None:
        """Doubted tensors behind which nothing can be judged without the cut, since how errors go through an
        operation is not known: what reads such a tensor rightly, cut there, takes it for the reference's."""
        accused = {one.tensor for one in self.accused}
        rest = [i for i in self.doubted if i not in self.cuts and i not in accused]
        if not rest or not self.judged.unknown:
            return
        right = unscaled(self.sections, self.first)
        for tensor in rest:
            readers = self.sections.readers(tensor)
            if tensor in right and readers and self.judged.unknown.issuperset(readers):
                departure = self.first.departures[tensor]
                everything = frozenset(self.sections.matches)
                self.accused.append(
                    Accused(
                        tensor=tensor, departure=departure, shown=tensor, judged=self.first, cuts=everything
                    )
                )

    def _rest(self) -> None:
        """What departs and is explained by no single tensor: it begins at the first doubted one in its
        section."""
        names = self.sections.matches
        for shown in sorted(self._bad(self.judged, self.cuts), key=list(names).index):
            inside = {name for step in self.sections.section(shown, self.cuts) for name in step.gives}
            doubted = [i for i in self.doubted if i not in self.cuts and names[i].name in inside]
            start = doubted[0] if doubted else shown
            judged = self.first if start in self.first.departures else self.judged
            departure = judged.departures[start]
            self.accused.append(
                Accused(tensor=start, departure=departure, shown=shown, judged=judged, cuts=self.cuts)
            )


def _error(judged: JudgedLayers, tensor: int) -> float:
    """The mean square, summed over channels, with what the tensor's grid cuts off: a grid that begins at 0
    is a ReLU, too, and must not make one tensor of what is before it and behind."""
    return float(judged.sums[tensor].error.sum() + judged.sums[tensor].lost.sum())
