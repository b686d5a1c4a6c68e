"""By what factor channels of an artifact's tensors may differ from the reference's, where that is no error.

Cross-layer equalization (M. Nagel et al., arXiv:1906.04721, section 4.1) multiplies a channel where it is
made and divides it where it is read. A tensor that a layer reads rightly as it is cannot have been scaled; of
the others the factors are estimated from their values.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from resnet_edge.diagnosis.layers.departures import DepartureSums, T
from resnet_edge.diagnosis.layers.scaled_weights import Scale, shown_scales
from resnet_edge.diagnosis.layers.sections import JudgedLayers, Sections
from resnet_edge.diagnosis.layers.steps import SAME_VALUES, Real

TURNS = 3
"""Each turn makes the factors of a tensor those that follow from what its section reads."""


def equalized(
    sections: Sections, judged: JudgedLayers, *, estimated: Set[int] = frozenset()
) -> dict[int, Scale]:
    """By tensor of the reference, of those that can be scaled, and differ from it by more than rounding does.
    `judged`: all tensors, each as it is. Those that the weights around them show (scaled_weights.py), and of
    others those with a tensor among `estimated` that share their factors, from values. What does not part
    has no factors: with what chance makes of its values it would."""
    fixed = unscaled(sections, judged)
    flat = _flattened(sections, [i for i in sections.matches if i not in fixed])
    groups = _groups(sections, [i for i in sections.matches if i not in fixed and i not in flat])
    looks = {i: _ratio(sections.own[i]) for group in groups for i in group}
    shown = _by_constants(sections, groups) | shown_scales(sections.links, groups, looks)
    if not estimated:
        return _with_flat({i: one for i, one in shown.items() if (one.factors != 1).any()}, flat)
    rest = [group for group in groups if group[0] not in shown and not estimated.isdisjoint(group)]
    free = [i for group in rest for i in group]
    known = {i: scale.factors for i, scale in shown.items()}
    factors = known | _shared({i: looks[i] for i in free}, rest)
    for _ in range(TURNS if free else 0):
        sections.factors = factors
        sums = sections.sums([*sections.matches])
        factors = known | _shared({i: factors[i] * _ratio(sums[i]) for i in free}, rest)
    sections.factors = {}
    differ = (i for i in free if _differs(factors[i], sections, judged, i))
    guessed = {i: Scale(factors=factors[i], share=np.full_like(factors[i], np.inf)) for i in differ}
    return _with_flat(shown | guessed, flat)


def _flattened(sections: Sections, free: list[int]) -> dict[int, tuple[int, int]]:
    """Of tensors that are another one with its pixels side by side: that one, and how many pixels."""
    everything, flattened = [*sections.matches], {}
    for tensor in free:
        read = sections.read_by(tensor, everything)
        steps = sections.expected(tensor, everything)
        if len(read) == 1 and steps and all(step.op in SAME_VALUES and step.axes is None for step in steps):
            pixels, rest = divmod(sections.matches[tensor].shape[-1], sections.matches[read[0]].shape[-1])
            if pixels > 1 and not rest:
                flattened[tensor] = (read[0], pixels)
    return flattened


def _with_flat(scales: dict[int, Scale], flat: dict[int, tuple[int, int]]) -> dict[int, Scale]:
    """And those that have the factors of another, for each pixel again."""
    for tensor, (read, pixels) in flat.items():
        if read in scales:
            scale = scales[read]
            factors, share = (
                np.tile(np.broadcast_to(x, scale.factors.shape), pixels) for x in (scale.factors, scale.share)
            )
            scales[tensor] = Scale(factors=factors, share=share)
    return scales


def _groups(sections: Sections, free: list[int]) -> list[list[int]]:
    """Tensors whose channels must have been scaled alike: no weights are between them, as at an addition, and
    no constant factor on one side alone."""
    home = {tensor: tensor for tensor in free}

    def root(tensor: int) -> int:
        while home[tensor] != tensor:
            tensor = home[tensor]
        return tensor

    everything = [*sections.matches]
    for tensor in free:
        for read in sections.read_by(tensor, everything):
            same = sections.matches[read].shape[-1] == sections.matches[tensor].shape[-1]
            apart = _multiplied(sections, tensor) or _mixes(sections, read, tensor, everything, least=1)
            if read in home and same and not apart:
                home[root(tensor)] = root(read)
    members: dict[int, list[int]] = {}
    for tensor in free:
        members.setdefault(root(tensor), []).append(tensor)
    return [*members.values()]


def _by_constants(sections: Sections, groups: list[list[int]]) -> dict[int, Scale]:
    """Of groups that begin behind a constant factor of one side alone: that factor, which the other side has
    in the weights that come next."""
    scales: dict[int, Scale] = {}
    for group in groups:
        factors = {_constant_factor(sections, i) for i in group if _multiplied(sections, i)}
        if len(factors) == 1 and (factor := factors.pop()) > 0:
            channels = {i: sections.matches[i].shape[-1] for i in group}
            scales |= {i: Scale(factors=np.full(n, factor), share=np.zeros(n)) for i, n in channels.items()}
    return scales


def _multiplied(sections: Sections, tensor: int) -> bool:
    """Whether one side multiplies on the way to a tensor by more constants than the other."""
    ours, theirs = _constants(sections, tensor)
    return len(ours) != len(theirs)


def _constant_factor(sections: Sections, tensor: int) -> float:
    """By what single numbers make a tensor larger than the reference's, where there is nothing but products
    on the way; else 0."""
    ours, theirs = _constants(sections, tensor)
    cuts = [*sections.matches]
    steps = (*sections.section(tensor, cuts), *sections.expected(tensor, cuts))
    if any(step.kind not in ("move", "product") or len({*step.reads}) < len(step.reads) for step in steps):
        return 0.0
    if any(one.size != 1 for one in (*ours, *theirs)):
        return 0.0
    return float(np.prod(ours) / np.prod(theirs))


def _constants(sections: Sections, tensor: int) -> tuple[list[Real], list[Real]]:
    """The factors on the way to a tensor, ours and the reference's."""
    cuts = [*sections.matches]
    with np.errstate(all="ignore"):
        ours, theirs = (
            [
                step.constant.values if step.kind == "product" else 1 / step.constant.values
                for step in side
                if step.kind in ("product", "quotient") and step.constant is not None
            ]
            for side in (sections.section(tensor, cuts), sections.expected(tensor, cuts))
        )
    return ours, theirs


def _shared(factors: dict[int, Real], groups: list[list[int]]) -> dict[int, Real]:
    """One for each group: the median, which a tensor that is wrong does not move."""
    shared: dict[int, Real] = {}
    for group in groups:
        middle = np.median([factors[i] for i in group], axis=0)
        shared |= dict.fromkeys(group, middle)
    return shared


def _ratio(sums: DepartureSums) -> Real:
    ratio = np.divide(sums.products, sums.power, out=np.ones_like(sums.power), where=sums.power > 0)
    return np.where(ratio > 0, ratio, 1.0)


def _differs(factors: Real, sections: Sections, judged: JudgedLayers, tensor: int) -> bool:
    power = np.maximum(sections.own[tensor].power, 1e-30)
    rounding = judged.roundings[tensor]
    allowed = np.sqrt(2 * T * rounding.random / power) + rounding.whole / np.sqrt(power)
    return bool((np.abs(factors - 1) > allowed).any())


def unscaled(sections: Sections, judged: JudgedLayers) -> set[int]:
    """Tensors that a layer which mixes their channels reads rightly, and what becomes of such a tensor by
    operations that keep channels apart; and those whose channels are shuffled, through which no equalization
    follows them."""
    everything = [*sections.matches]
    tensors = {sections.reference.exit, *_shuffled(sections, everything)}
    for tensor in reversed(everything):
        for reader in sections.readers(tensor):
            right = reader not in judged.parted
            if right and (reader in tensors or _mixes(sections, tensor, reader, everything)):
                tensors.add(tensor)
    return tensors


def _shuffled(sections: Sections, everything: list[int]) -> set[int]:
    """What a transposition takes channels from, or gives them in another place, and all that is moved
    from there or to there."""
    moves = {
        tensor: set(sections.read_by(tensor, everything))
        for tensor in everything
        if all(step.kind == "move" for step in sections.expected(tensor, everything))
    }
    shuffled: set[int] = set()
    for tensor, read in moves.items():
        steps = sections.expected(tensor, everything)
        if any(step.axes is not None and step.axes[-1] != len(step.axes) - 1 for step in steps):
            shuffled |= {tensor, *read}
    size = -1
    while size < len(shuffled):
        size = len(shuffled)
        for tensor, read in moves.items():
            if tensor in shuffled or shuffled & read:
                shuffled |= {tensor, *read}
    return shuffled


def _mixes(sections: Sections, tensor: int, reader: int, cuts: list[int], least: int = 2) -> bool:
    """Whether weights that read so many channels at once are on the way of a tensor to what is computed from
    it."""
    reached = {sections.matches[tensor].name}
    for step in sections.section(reader, cuts):
        if reached.intersection(step.reads):
            reached.update(step.gives)
            if (
                step.weights is not None
                and step.weights.kernel.shape[3] >= least
                and step.reads[0] in reached
            ):
                return True
    return False
