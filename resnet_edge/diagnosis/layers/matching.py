"""Which tensor of an artifact is which tensor of the reference, by what they hold.

A match decides where sections end, and accuses nobody: one that is wrong is found out by the sections that
begin at it (search.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.activation_functions import KEEPERS, inside_functions
from resnet_edge.diagnosis.layers.steps import SAME_VALUES, OpenedSteps

SAMPLED = 2048
"""Values of a tensor that are looked at, the same of each tensor of one shape."""
TRUTHS = frozenset({
    "greater", "greaterorequal", "greater_equal", "less", "lessorequal", "less_equal", "equal", "not_equal",
    "not", "logical_not", "and", "logical_and", "or", "logical_or", "xor", "isnan", "isinf",
})  # fmt: skip
LIMITS = frozenset({"relu", "relu6", "clip", "min", "max"})
CLOSE = 0.5
"""Error power over signal power, below which errors are compared; above it, directions."""

ALIKE = 0.5
"""A correlation below which values alone make no pair: an inner tensor of an operation that the other side
has whole would be paired with whatever is left."""
UNFINISHED = 10.0
"""A tensor behind which a constant is added or multiplied, where the reference has none, is rather on the
way: so much nearer must it be."""

CONSTANT = 2.0**-44
"""Of the power of a channel that is a constant: what float32 rounds in it, squared."""

Layout = Literal["last", "first"]
LAYOUTS: tuple[Layout, Layout] = ("first", "last")
Key = tuple[int, ...]
Sketch = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Match:
    """The tensor `name` of the artifact, with its channels `layout`, holds what the reference has in
    `tensor`, of the shape `shape`."""

    tensor: int
    shape: tuple[int, ...]
    name: str
    layout: Layout

    def canonical(self, value: NDArray[Any]) -> NDArray[Any]:
        """A value of the artifact, shaped as the reference's."""
        moved = value.transpose(0, 2, 3, 1) if self.layout == "first" else value
        return moved.reshape(self.shape)


@dataclass(kw_only=True)
class Sketches:
    """Samples of every tensor over some images, by its shape without ones, and by name and layout; `means`
    and `powers` are those (C,) of channels and of their squares, to compare directions whatever scales
    them."""

    _taken: dict[Key, NDArray[np.intp]] = field(default_factory=dict)
    values: dict[tuple[str, Layout], list[Sketch]] = field(default_factory=dict)
    means: dict[tuple[str, Layout], list[Sketch]] = field(default_factory=dict)
    powers: dict[tuple[str, Layout], list[Sketch]] = field(default_factory=dict)
    keys: dict[tuple[str, Layout], Key] = field(default_factory=dict)

    def add(self, name: str, value: NDArray[Any]) -> None:
        """Of one image more, in each layout that it may have."""
        layouts: list[tuple[Layout, NDArray[Any]]] = [("last", value)]
        if value.ndim == 4 and value.shape[1] > 1 and value.shape[2:] != (1, 1):
            layouts.append(("first", value.transpose(0, 2, 3, 1)))
        for layout, seen in layouts:
            key = key_of(seen.shape)
            self.keys[name, layout] = key
            at = self._at(key)
            flat = np.nan_to_num(seen.reshape(-1, seen.shape[-1] if seen.ndim else 1))
            self.values.setdefault((name, layout), []).append(flat.reshape(-1)[at].astype(np.float32))
            channels = at % flat.shape[1]
            power = np.square(flat, dtype=np.float64).mean(axis=0)
            self.powers.setdefault((name, layout), []).append(power[channels])
            mean = flat.mean(axis=0, dtype=np.float64)
            self.means.setdefault((name, layout), []).append(mean[channels])

    def _at(self, key: Key) -> NDArray[np.intp]:
        if key not in self._taken:
            size = int(np.prod(key, dtype=np.int64))
            random = np.random.default_rng(size)
            self._taken[key] = np.sort(random.permutation(size)[:SAMPLED])
        return self._taken[key]

    def distance(self, one: tuple[str, Layout], other: tuple[str, Layout]) -> float:
        """0 for the same values; below CLOSE the error over the signal of `one`, above it what is between the
        directions of both, whatever scales their channels."""
        x, y = np.concatenate(self.values[one]), np.concatenate(self.values[other])
        signal = float(x @ x)
        if signal <= 0:
            return np.inf
        error = float(np.square(x - y).sum()) / signal
        if error < CLOSE:
            return error
        return CLOSE + 1 - _cosine(self._even(one, x), self._even(other, y))

    def correlation(self, one: tuple[str, Layout], other: tuple[str, Layout]) -> float:
        """Of both, whatever scales or shifts their channels: any two tensors of positive numbers have a
        direction in common, that of a constant. Where channels have one value each, their cosine."""
        return _cosine(
            *(self._even(each, np.concatenate(self.values[each]), shift=True) for each in (one, other))
        )

    def _even(self, which: tuple[str, Layout], values: Sketch, *, shift: bool = False) -> Sketch:
        """With channels of one power each, and of mean zero; those that are constant are zero."""
        power = np.mean(self.powers[which], axis=0)
        mean = np.zeros(power.shape)
        if shift and len(self.keys[which]) > 1:
            mean = np.mean(self.means[which], axis=0)
        left = power - np.square(mean)
        live = left > CONSTANT * power
        scale = np.where(live, 1 / np.sqrt(np.where(live, left, 1.0)), 0.0)
        even: Sketch = ((values.reshape(-1, len(power)) - mean) * scale).ravel()
        return even


def _cosine(a: Sketch, b: Sketch) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0


def key_of(shape: Sequence[int]) -> Key:
    """What tensors must have alike to hold the same."""
    return tuple(size for size in shape if size != 1)


def candidates(opened: OpenedSteps) -> list[str]:
    """Activations in order but for those inside of functions, and of those that hold the same values, each
    read by the next alone, the last. What holds the values of a tensor that several read is that tensor
    again, and left out."""
    readers, inside = opened.readers(), inside_functions(opened)
    names: dict[str, None] = {}
    truths: set[str] = set()
    for step in opened.steps:
        if step.op in TRUTHS or (step.op in KEEPERS and truths.issuperset(step.reads) and step.reads):
            truths.update(step.gives)  # true or false, as numbers too: no activation
            continue
        for name in step.gives:
            if step.op in KEEPERS and len(readers.get(step.reads[0] if step.reads else "", ())) > 1:
                continue
            while (behind := readers.get(name, [])) and len(behind) == 1 and behind[0].op in KEEPERS:
                name = behind[0].gives[0]
            if name not in inside:
                names[name] = None
    return list(names)


class Order:
    """Which activation of a graph comes from which; one that is only moved is where it came from."""

    def __init__(self, opened: OpenedSteps) -> None:
        self._number = {opened.entry: 0}
        self._above: dict[str, int] = {opened.entry: 1}
        self._moved: dict[str, str] = {}
        for step in opened.steps:
            if step.op in SAME_VALUES | KEEPERS and len(step.reads) == 1:
                self._moved |= dict.fromkeys(step.gives, self._moved.get(step.reads[0], step.reads[0]))
            above = 0
            for name in step.reads:
                above |= self._above.get(name, 0)
            for name in step.gives:
                self._number[name] = len(self._number)
                self._above[name] = above | 1 << self._number[name]

    def before(self, name: str, other: str) -> bool:
        """Whether `other` is computed from `name`, or is it."""
        source = self._moved.get(name, name)
        return bool(self._above.get(other, 0) >> self._number.get(source, 0) & 1)


class Side(Protocol):
    """What matching asks of a graph: what comes before what, the names of tensors that only an operation
    with constants reads, and the kernel shapes of those that a layer gives."""

    order: Order
    affine: frozenset[str]
    layers: dict[str, tuple[int, ...]]


class Named(Side, Protocol):
    """The reference's tensors have numbers, too."""

    names: dict[int, str]


def affine_behind(opened: OpenedSteps) -> frozenset[str]:
    """Activations that are read by one sum or product with a constant, and nothing else, perhaps in another
    shape."""
    readers = opened.readers()
    affine: set[str] = set()
    for step in reversed(opened.steps):
        constant = step.kind in ("sum", "product") and step.constant is not None
        moved = step.op in SAME_VALUES | KEEPERS and affine.issuperset(step.gives)
        if constant or moved:
            affine.update(name for name in step.reads if len(readers[name]) == 1)
    return frozenset(affine)


def layers_behind(opened: OpenedSteps) -> dict[str, tuple[int, ...]]:
    """By activation, the shape of the kernel of the layer that gives it, but for constants, limits and
    moves."""
    shapes: dict[str, tuple[int, ...]] = {}
    for step in opened.steps:
        shape = step.weights.kernel.shape if step.weights is not None else None
        passes = step.kind in ("move", "sum", "product") or step.op in LIMITS
        if shape is None and len(step.reads) == 1 and passes:
            shape = shapes.get(step.reads[0])
        if shape is not None:
            shapes |= dict.fromkeys(step.gives, shape)
    return shapes


def matched(
    sketches: Sketches,
    reference: Mapping[int, tuple[str, tuple[int, ...]]],
    names: Sequence[str],
    known: Sequence[Match],
    sides: tuple[Named, Side],
    ends: tuple[int, str] | None = None,
) -> list[Match]:
    """Each tensor of the reference with the nearest of the artifact, the nearest pairs first, and before all
    others the `ends` of both, whatever they hold, if they are of one kind.

    `reference` has the name of its sketch, and the shape, of each tensor by number. A pair must not
    contradict those that are `known`, the nearest first, but for those of them that contradict nearer ones:
    what comes before must come before on both `sides`, reference and artifact.
    """
    known = _ordered(known, sides)
    matches: dict[int, Match] = {}
    taken: set[str] = set()
    if ends is not None and key_of(reference[ends[0]][1]) == sketches.keys.get((ends[1], "last")):
        matches[ends[0]] = Match(tensor=ends[0], shape=reference[ends[0]][1], name=ends[1], layout="last")
        taken.add(ends[1])
    for *_, tensor, name, layout in sorted(_scored(sketches, reference, names, sides)):
        if tensor in matches or name in taken:
            continue
        match = Match(tensor=tensor, shape=reference[tensor][1], name=name, layout=layout)
        if _fits(match, known, *sides):
            matches[tensor] = match
            taken.add(name)
    return [*matches.values()]


def _ordered(known: Sequence[Match], sides: tuple[Named, Side]) -> list[Match]:
    """Without those that contradict others before them."""
    kept: list[Match] = []
    for match in known:
        if _fits(match, kept, *sides):
            kept.append(match)
    return kept


def _scored(
    sketches: Sketches,
    reference: Mapping[int, tuple[str, tuple[int, ...]]],
    names: Sequence[str],
    sides: tuple[Named, Side],
) -> Iterator[tuple[float, int, int, int, str, Layout]]:
    """Every pair that may be one: its distance, then what is later in the artifact, and in the reference,
    first: tensors that hold the same are paired in their order."""
    by_key: dict[Key, list[tuple[str, Layout]]] = {}
    for name in names:
        for layout in LAYOUTS:
            if (key := sketches.keys.get((name, layout))) is not None:
                by_key.setdefault(key, []).append((name, layout))
    for target, (tensor, (sketch, shape)) in enumerate(reference.items()):
        for rank, (name, layout) in enumerate(by_key.get(key_of(shape), ())):
            pair = (sketch, LAYOUTS[1]), (name, layout)
            theirs, distance = sides[0].names[tensor], sketches.distance(*pair)
            if np.isinf(distance):
                continue
            if distance < CLOSE or _one_layer(theirs, name, sides) or sketches.correlation(*pair) > ALIKE:
                yield distance * _handicap(theirs, name, sides), -rank, -target, tensor, name, layout


def _one_layer(theirs: str, ours: str, sides: tuple[Named, Side]) -> bool:
    """Whether layers with kernels of one shape give them."""
    layer = sides[0].layers.get(theirs)
    return layer is not None and layer == sides[1].layers.get(ours)


def _handicap(theirs: str, ours: str, sides: tuple[Named, Side]) -> float:
    """By what a distance is multiplied."""
    return UNFINISHED if ours in sides[1].affine and theirs not in sides[0].affine else 1.0


def _fits(match: Match, known: Sequence[Match], theirs: Named, ours: Side) -> bool:
    for other in known:
        if other.tensor == match.tensor:
            continue
        for a, b in ((match, other), (other, match)):
            before = theirs.order.before(theirs.names[a.tensor], theirs.names[b.tensor])
            if before and not ours.order.before(a.name, b.name):
                return False
    return True
