"""Where channels come into another order, in a section that departs.

A section may give its output by several operations, of which only the last has a tensor that is matched. An
inner tensor of it that holds what the reference has at some place, the section's beginning too, but with its
channels in another order, is where that begins: all behind it computes with what is out of order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.matching import CLOSE, LAYOUTS, Match, key_of
from resnet_edge.diagnosis.layers.replay import Replay
from resnet_edge.diagnosis.layers.search import Accused
from resnet_edge.diagnosis.layers.sections import Sections
from resnet_edge.diagnosis.layers.steps import LayerStep


def first_reordered(sections: Sections, accused: Accused) -> tuple[LayerStep, NDArray[np.intp]] | None:
    """The first step, of those that end in an accused tensor, that gives channels of the reference in another
    order, and which are; None where there is none. Raises ArtifactError."""
    section = sections.section(accused.tensor, accused.cuts)
    numbers = {name: i for i, name in sections.reference.names.items()}
    names = (name for step in sections.expected(accused.tensor, accused.cuts) for name in step.gives)
    watched = [i for name in names if (i := numbers[name]) in sections.reference.tensors]
    cuts = [i for i in sections.matches if i in accused.cuts and i != accused.tensor]
    image, seen = sections.kept[0]
    fed = {i: np.asarray(seen[i] / sections.factors.get(i, 1.0), np.float32) for i in cuts}
    read = {i: fed[i] for i in sections.read_by(accused.tensor, cuts)}
    expected = read | Replay(sections.reference.model, cuts, watched)(image, fed)
    values = sections.values_of(0)
    for step in section:
        for name in step.gives:
            if name not in values:
                continue
            orders = [_order(values[name], wanted, name, tensor) for tensor, wanted in expected.items()]
            changed = [order for order in orders if order is not None]
            # ... and it is no tensor of the reference as it is.
            if changed and all(order.size for order in changed):
                return step, changed[0]
    return None


def _order(
    value: NDArray[np.float32], wanted: NDArray[np.float32], name: str, tensor: int
) -> NDArray[np.intp] | None:
    """The channels that are elsewhere, in any layout; none where all are in their place, None where these are
    no channels of the reference's tensor."""
    for layout in LAYOUTS:
        if layout == "first" and value.ndim != 4:
            continue
        moved = value.transpose(0, 2, 3, 1) if layout == "first" else value
        if key_of(moved.shape) != key_of(wanted.shape) or moved.ndim < 2:
            continue
        match = Match(tensor=tensor, shape=wanted.shape, name=name, layout=layout)
        ours, theirs = (x.reshape(-1, wanted.shape[-1]).T for x in (match.canonical(value), wanted))
        order = _rows(ours.astype(np.float64), theirs.astype(np.float64))
        if order is not None:
            return np.flatnonzero(order != np.arange(len(order)))
    return None


def _rows(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Which row of the reference's each is, those in their place first; None where one is none."""
    if len(ours) < 2 or ours.shape[1] < 2:
        return None
    power = np.square(theirs).sum(axis=1)
    apart = np.square(ours).sum(axis=1)[:, None] + power[None] - 2 * ours @ theirs.T
    near = apart <= CLOSE * np.maximum(power, 1e-30)[None]
    apart = np.where(np.eye(len(ours), dtype=bool) & near, -1.0, apart)
    order = apart.argmin(axis=1)
    live = power > 0
    if not near[np.arange(len(order)), order][live].all() or not live.any():
        return None
    return order if len(set(order[live].tolist())) == int(live.sum()) else None
