"""An artifact beside its reference: both opened, matched, and run on the same images, section by section."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.activation_functions import inside_functions
from resnet_edge.diagnosis.layers.departures import Departure, DepartureSums, binding, departure, known
from resnet_edge.diagnosis.layers.limits import Limits, held_limits
from resnet_edge.diagnosis.layers.links import links
from resnet_edge.diagnosis.layers.matching import (
    Match,
    Order,
    Sketches,
    affine_behind,
    candidates,
    layers_behind,
    matched,
)
from resnet_edge.diagnosis.layers.moved_biases import before_moved_biases
from resnet_edge.diagnosis.layers.onnx_steps import open_onnx
from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.replay import Replay
from resnet_edge.diagnosis.layers.rounded_weights import as_rounded
from resnet_edge.diagnosis.layers.rounding import Rounding, roundings
from resnet_edge.diagnosis.layers.scaled_weights import Scale
from resnet_edge.diagnosis.layers.steps import ROUNDERS, LayerStep, OpenedSteps
from resnet_edge.diagnosis.layers.tflite_steps import open_tflite, steps_of, tensor_names
from resnet_edge.diagnosis.layers.values import Values, onnx_run, tflite_run
from resnet_edge.graph.model import graph_of, load_model

SKETCHED = 2
"""Images on which tensors are matched."""
REFINED = 2
"""How often matches are looked for again, from those that are known."""
KEPT_BYTES = 1 << 29
OPENERS = {"tflite": open_tflite, "onnx": open_onnx}
RUNS = {"tflite": tflite_run, "onnx": onnx_run}


@dataclass(frozen=True, kw_only=True)
class JudgedLayers:
    """Of one way to cut the graph: what each tensor was expected to hold, and which depart; `parted` are
    those and the ones that are excused, `unknown` those whose rounding is not known, and `opaque` what the
    operations give through which it is not."""

    sums: dict[int, DepartureSums]
    roundings: dict[int, Rounding]
    departures: dict[int, Departure]
    parted: frozenset[int]
    unknown: frozenset[int]
    opaque: frozenset[str]


class FloatReference:
    """The float graph of a model; `tensors` are those that may be matched, with their shapes."""

    def __init__(self, path: Path) -> None:
        self.model = load_model(path)
        graph = graph_of(self.model)
        self.opened = steps_of(graph, path.name)
        self.names = dict(enumerate(tensor_names(graph)))
        self.exit = graph.outputs[0]
        produced = [i for node in graph.nodes for i in node.outputs]
        inside = inside_functions(self.opened)
        self.tensors = {
            i: tuple(n or 1 for n in graph.tensors[i].shape)
            for i in dict.fromkeys(produced)
            if graph.tensors[i].dtype == "float32" and graph.tensors[i].data is None
            if self.names[i] not in inside
        }
        self.order = Order(self.opened)
        self.affine = affine_behind(self.opened)
        self.layers = layers_behind(self.opened)

    def maker(self, tensor: int) -> LayerStep | None:
        """What gives a tensor."""
        return self.opened.makers().get(self.names[tensor])


class Sections:
    """The artifact at `path`, of `format`, against `reference`, on images (N, H, W, C). Raises
    ArtifactError."""

    def __init__(self, reference: FloatReference, path: Path, format: str, images: NDArray[Any]) -> None:
        self.reference = reference
        self.opened = OPENERS[format](path)
        self.order = Order(self.opened)
        self.affine = affine_behind(self.opened)
        self.layers = layers_behind(self.opened)
        self.grids = self.opened.held_grids()
        self._limits = held_limits(self.opened)
        wanted = [self.opened.entry, *(name for step in self.opened.steps for name in step.gives)]
        self._run = RUNS[format](path, self.opened, wanted)
        self.matches = self._matched(images[:SKETCHED])
        for tensor in before_moved_biases(self):
            del self.matches[tensor]
        self.kept: list[tuple[NDArray[np.float32], dict[int, NDArray[np.float32]]]] = []
        self.links = links(self)
        self._linked = {link.gives for link in self.links if link.alone}
        self._readers: dict[int, list[int]] | None = None
        self._images = images
        self._watch(images)
        self.limits = {
            i: self._ends_of(match) for i, match in self.matches.items() if match.name in self._limits
        }
        self._apply({})

    def _matched(self, images: NDArray[Any]) -> dict[int, Match]:
        names = candidates(self.opened)
        sketches = Sketches()
        kept = []
        for image in images:
            values = self._run(image)
            kept.append(values)
            for name in names:
                if name in values:
                    sketches.add(name, values[name])
        pairs: list[Match] = []
        for turn in range(1 + REFINED):
            pairs = self._again(sketches, names, kept, pairs, turn)
        matches = {match.tensor: match for match in pairs}
        return {tensor: matches[tensor] for tensor in self.reference.tensors if tensor in matches}

    def _again(
        self, sketches: Sketches, names: list[str], kept: list[Values], known: list[Match], turn: int
    ) -> list[Match]:
        """The matches, from what the reference gives behind those that are known."""
        theirs = self.reference
        replay = Replay(theirs.model, [match.tensor for match in known], list(theirs.tensors))
        for values in kept:
            fed = {match.tensor: match.canonical(values[match.name]) for match in known}
            for tensor, value in replay(self._image(values), fed).items():
                sketches.add(f"reference {turn} {tensor}", value)
        named = {i: (f"reference {turn} {i}", shape) for i, shape in theirs.tensors.items()}
        return matched(sketches, named, names, known, (theirs, self), self._ends())

    def _ends(self) -> tuple[int, str] | None:
        """The outputs of both, where both are scores, or both are probabilities."""
        theirs = self.reference
        same = theirs.opened.gives_probabilities() == self.opened.gives_probabilities()
        return (theirs.exit, self.opened.exit) if same and theirs.exit in theirs.tensors else None

    def _image(self, values: Values) -> NDArray[np.float32]:
        """What the artifact takes the image for."""
        entry = values[self.opened.entry]
        shape = self.reference.model.subgraphs[0].tensors[self.reference.model.subgraphs[0].inputs[0]].shape
        if tuple(entry.shape[1:]) != tuple(shape[1:]):
            entry = entry.transpose(0, 2, 3, 1)
        return entry

    def _watch(self, images: NDArray[Any]) -> None:
        """What there is of the artifact, on as many images as fit."""
        self.powers = Powers()
        rounders = [step for step in self.opened.steps if step.op in ROUNDERS and step.reads]
        rounders = [step for step in rounders if step.gives[0] in self.opened.grids]
        size = 4 * sum(int(np.prod(match.shape)) for match in self.matches.values())
        for image in images[: max(KEPT_BYTES // max(size, 1), SKETCHED)]:
            values = self._run(image)
            self.powers.add(values)
            for step in rounders:
                name = step.gives[0]
                if step.reads[0] in values:
                    self.powers.cut_off(name, values[step.reads[0]], self.opened.grids[name])
            seen = {i: match.canonical(values[match.name]) for i, match in self.matches.items()}
            self.kept.append((self._image(values), seen))

    def values_of(self, row: int) -> Values:
        """What all tensors of the artifact hold of one of the images."""
        return self._run(self._images[row])

    def scale(self, scales: Mapping[int, Scale]) -> None:
        """Take tensors for the reference's times factors (C,); all others are as they are."""
        if scales or self.scales:  # all images are run again
            self._apply(scales)

    def _apply(self, scales: Mapping[int, Scale]) -> None:
        self.scales = scales
        self.factors = {i: scale.factors for i, scale in scales.items() if (scale.factors != 1).any()}
        self._estimated = {i for i, scale in scales.items() if np.isinf(scale.share).any()}
        theirs = self.reference
        self._rounded = as_rounded(theirs.model, theirs.names, self.opened, self.powers, self.links, scales)
        self.own = self.sums(())

    def sums(self, cuts: Collection[int], *, rounded: bool = False) -> dict[int, DepartureSums]:
        """Of every matched tensor, with the graph cut at some; `rounded`: and weights as the artifact has
        rounded them."""
        totals = {i: DepartureSums(_channels(match)) for i, match in self.matches.items()}
        for expected, seen in self.replayed(cuts, rounded=rounded):
            for i, one in totals.items():
                one.add(expected[i], seen[i], self.grids.get(self.matches[i].name), self.limits.get(i))
        return totals

    def _ends_of(self, match: Match) -> Limits:
        """Of each channel (C,), or of each position and channel (…, C) where they differ by place."""
        low, high = (self._flat(ends, match) for ends in self._limits[match.name])
        alike = (low == low[0]).all() and (high == high[0]).all()
        return (low[0], high[0]) if alike else (low, high)

    def _flat(self, values: NDArray[Any], match: Match) -> NDArray[Any]:
        """What broadcasts to a tensor, as (…, C)."""
        full = np.broadcast_to(values, self.powers.shapes[match.name])
        return match.canonical(full).reshape(-1, _channels(match))

    def replayed(
        self, cuts: Collection[int], *, rounded: bool = False
    ) -> Iterable[tuple[dict[int, Any], dict[int, Any]]]:
        """For each image what every matched tensor is expected to hold, and what it holds."""
        model = self._rounded[0] if rounded else self.reference.model
        replay = Replay(model, [i for i in self.matches if i in cuts], list(self.matches))
        for entry, seen in self.kept:
            fed = {i: np.asarray(seen[i] / self.factors.get(i, 1.0), np.float32) for i in cuts}
            expected = replay(entry, fed)
            yield {i: r * self.factors[i] if i in self.factors else r for i, r in expected.items()}, seen

    def judged(self, cuts: Collection[int]) -> JudgedLayers:
        """With the graph cut at some of the matched tensors."""
        sums = self.sums(cuts, rounded=True)
        names = {self.matches[i].name: i in self._estimated for i in cuts}
        rounded = roundings(self._rounded[1], self.powers, names)
        allowed = {i: self._allowed(i, rounded[match.name]) for i, match in self.matches.items()}
        seen = {i: departure(sums[i], self.own[i], allowed[i]) for i in self.matches}
        parted = {i: one for i, one in seen.items() if one is not None}
        departures = {i: one for i, one in parted.items() if not one.excused}
        unknown = frozenset(i for i, one in allowed.items() if not known(one))
        return JudgedLayers(
            sums=sums,
            roundings=allowed,
            departures=departures,
            parted=frozenset(parted),
            unknown=unknown,
            opaque=self._opaque(rounded, names),
        )

    def _opaque(self, rounded: Mapping[str, Rounding], cuts: Collection[str]) -> frozenset[str]:
        """What operations give whose rounding is not known, though that of all that they read is."""
        hidden = {name for name, one in rounded.items() if not known(one)}
        return frozenset(
            name
            for step in self.opened.steps
            for name in step.gives
            if name in hidden and hidden.difference(cuts).isdisjoint(step.reads)
        )

    def held(self, judged: JudgedLayers) -> set[int]:
        """Tensors that were held to a bound, all of which was read on the way from a layer or the image."""
        everything = [*self.matches]
        held: set[int] = set()
        for i in everything:
            read = self.read_by(i, everything)
            below = all(one in held or self.gives_layer(one) for one in read)
            if below and binding(judged.sums[i], judged.roundings[i]):
                held.add(i)
        return held

    def gives_layer(self, tensor: int) -> bool:
        """Whether the section of a tensor has a layer in it."""
        return any(step.weights is not None for step in self.expected(tensor, [*self.matches]))

    def _allowed(self, tensor: int, rounding: Rounding) -> Rounding:
        """With what its factors are uncertain by: a link accounts for that itself (rounded_weights.py), but
        a summand that was scaled by the true ones does not."""
        allowed = self._canonical(rounding, self.matches[tensor])
        if tensor not in self.factors or tensor in self._estimated or tensor in self._linked:
            return allowed
        off = self.scales[tensor].share * np.sqrt(self.own[tensor].seen_power)
        return replace(allowed, hard=allowed.hard + off)

    def _canonical(self, rounding: Rounding, match: Match) -> Rounding:
        """The largest of each channel (C,)."""

        def largest(values: NDArray[Any]) -> NDArray[Any]:
            if values.size == 1:
                return values.reshape(1)
            channels: NDArray[Any] = self._flat(values, match).max(axis=0)
            return channels

        return Rounding(random=largest(rounding.random), hard=largest(rounding.hard), own=rounding.own)

    def section(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The artifact's steps between a tensor and the cuts before it, in the order of execution."""
        ends = {self.matches[i].name for i in cuts} | {self.opened.entry}
        return between(self.opened, self.matches[tensor].name, ends)

    def read_by(self, tensor: int, cuts: Collection[int]) -> list[int]:
        """The cuts at which the section of a tensor begins."""
        ends = {self.matches[i].name: i for i in cuts if i != tensor}
        section = self.section(tensor, [*ends.values()])
        return [*dict.fromkeys(ends[name] for step in section for name in step.reads if name in ends)]

    def reference_name(self, tensor: int) -> str:
        """Of a tensor, in the reference's steps."""
        return self.reference.names[tensor]

    def readers(self, tensor: int) -> list[int]:
        """The matched tensors whose sections begin at one, where all are cut."""
        if self._readers is None:
            self._readers = {}
            for other in self.matches:
                for read in self.read_by(other, [*self.matches]):
                    self._readers.setdefault(read, []).append(other)
        return self._readers.get(tensor, [])

    def expected(self, tensor: int, cuts: Collection[int]) -> list[LayerStep]:
        """The reference's steps between a tensor and the cuts before it."""
        ends = {self.reference.names[i] for i in cuts} | {self.reference.opened.entry}
        return between(self.reference.opened, self.reference.names[tensor], ends)


def between(opened: OpenedSteps, name: str, ends: Collection[str]) -> list[LayerStep]:
    """What a tensor is computed with from `ends`, in the order of execution."""
    makers, wanted, steps = opened.makers(), [name], []
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if (step := makers.get(name)) is None or name in seen:
            continue
        seen.update(step.gives)
        steps.append(step)
        wanted += [read for read in step.reads if read not in ends]
    target = {step.gives[0]: number for number, step in enumerate(opened.steps)}
    return sorted(steps, key=lambda step: target[step.gives[0]])


def _channels(match: Match) -> int:
    return int(match.shape[-1]) if match.shape else 1
