"""Runs in a worker. Which channels go, so that a target is met and the least is lost."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np

from resnet_edge.compression.pruning import Kind, PruningTarget, Rules, Selection
from resnet_edge.compression.pruning.cost import Term, counts, terms, total, uncounted
from resnet_edge.compression.pruning.groups import ChannelMap, Group
from resnet_edge.compression.pruning.importance import Importance
from resnet_edge.core.errors import ModelError, OutOfReach, UnknownName


def select(
    channels: ChannelMap, importance: Importance, target: PruningTarget, rules: Rules | None = None
) -> Selection:
    """The channels to keep so that the cost lands at or just below `target`.

    Greedy: of the least important block of channels of every group, the one goes that loses the
    least importance for each multiply-accumulate (or parameter) that it saves and that is still
    to be saved, counted on what is left by then. At the end, blocks that still fit under the
    target come back, the last removed first.

    Raises UnknownName (an excluded layer that is not there), ModelError (no group may be pruned,
    or the cost is not known), OutOfReach (with the smallest share that can be had).
    """
    search = _Search(channels=channels, importance=importance, kind=target.kind, rules=rules or Rules())
    allowed = target.share * search.cost()
    while search.cost() > allowed:
        if not search.remove(search.cost() - allowed):
            raise OutOfReach(
                f"{target.share:g}x of the {_WORDS[target.kind]} is out of reach: these rules reach "
                f"{math.ceil(1000 * search.cost() / search.whole) / 1000:g}x at the smallest; raise the "
                f"target, exclude fewer layers, or allow smaller multiples{_staying(channels)}"
            )
    search.restore(allowed)
    return search.selection()


def smallest(channels: ChannelMap, rules: Rules, kind: Kind) -> float:
    """The smallest share of `kind` that `rules` can reach. Raises UnknownName, ModelError."""
    search = _Search(
        channels=channels,
        importance={g.name: np.zeros(g.channels) for g in channels.prunable},
        kind=kind,
        rules=rules,
    )
    while search.remove(search.whole):
        pass
    return search.cost() / search.whole


def candidates(channels: ChannelMap, rules: Rules) -> tuple[Group, ...]:
    """The groups that may lose channels under `rules`.

    Raises UnknownName (an excluded layer that is not there, or has no channels of its own),
    ModelError (nothing is left to prune).
    """
    excluded = {name for pattern in rules.exclude for name in _matching(channels, pattern)}
    groups = tuple(
        group
        for group in channels.prunable
        if not excluded & {*group.producers, *group.carriers}
        and not (rules.scope == "inner" and group.joined)
        and _least(group, rules) < group.channels
    )
    if not groups:
        raise ModelError(
            f"no group of {channels.graph.name} may lose channels: exclude fewer layers, "
            f"or allow smaller multiples than {rules.multiple}"
        )
    return groups


_WORDS: dict[Kind, str] = {"macs": "multiply-accumulates", "parameters": "parameters"}


@dataclass(kw_only=True)
class _Search:
    """The state of the greedy choice: how many channels of each group are left."""

    channels: ChannelMap
    importance: Importance
    kind: Kind
    rules: Rules
    whole: int = field(init=False)

    def __post_init__(self) -> None:
        if self.kind == "macs" and (unknown := uncounted(self.channels)):
            raise ModelError(
                f"the multiply-accumulates of {unknown[0]} are not known: give the target in parameters"
            )
        self._groups = candidates(self.channels, self.rules)
        self._terms = terms(self.channels)
        self._of = {g.name: _touching(self._terms, g.name) for g in self._groups}
        self._counts = counts(self.channels)
        self._order = {g.name: _by_importance(self.importance[g.name]) for g in self._groups}
        self._lost = {
            g.name: np.concatenate([[0.0], np.cumsum(np.sort(self.importance[g.name]))]) for g in self._groups
        }
        self._removed: list[tuple[str, int]] = []
        self._savings: dict[str, int] = {}  # of the next block of a group, while it is valid
        self.whole = self._total = self._cost_of(self._terms)

    def cost(self) -> int:
        """Of what is left."""
        return self._total

    def remove(self, wanted: float) -> bool:
        """Take the block that is worth least for its cost, of which `wanted` is still to be saved;
        False: no block is left."""
        best = min(
            ((self._price(group, wanted), group) for group in self._groups if self._block(group)),
            key=lambda pair: pair[0],
            default=None,
        )
        if best is None:
            return False
        group = best[1]
        block = self._block(group)
        self._total -= self._saving(group, block)
        self._counts[group.name] -= block
        for term in self._of[group.name]:
            for name in (term.reads, term.gives):
                self._savings.pop(name or "", None)
        self._removed.append((group.name, block))
        return True

    def restore(self, allowed: float) -> None:
        """Give blocks back that fit: the last of a step may have gone far below the target."""
        full: set[str] = set()  # in order within a group: its first block may be no whole multiple
        for name, block in reversed(self._removed):
            larger = self._total - self._saving_of(name, -block)
            if name in full or larger > allowed:
                full.add(name)
                continue
            self._total = larger
            self._counts[name] += block

    def selection(self) -> Selection:
        """What is left, of the groups that lost channels."""
        kept = {}
        for group in self._groups:
            gone = group.channels - self._counts[group.name]
            if gone:
                kept[group.name] = tuple(sorted(map(int, self._order[group.name][gone:])))
        return Selection(kept)

    def _block(self, group: Group) -> int:
        """How many channels go at once: down to the next multiple; 0 where none may go."""
        left = self._counts[group.name]
        block = left % self.rules.multiple or self.rules.multiple
        return block if left - block >= _least(group, self.rules) else 0

    def _price(self, group: Group, wanted: float) -> float:
        """Importance lost for each unit of cost saved; what goes beyond `wanted` is worth nothing."""
        gone, block = group.channels - self._counts[group.name], self._block(group)
        lost = self._lost[group.name]
        return float(lost[gone + block] - lost[gone]) / max(1, min(wanted, self._saving(group, block)))

    def _saving(self, group: Group, block: int) -> int:
        if group.name not in self._savings:
            self._savings[group.name] = self._saving_of(group.name, block)
        return self._savings[group.name]

    def _saving_of(self, name: str, block: int) -> int:
        touched = self._of[name]
        before = self._cost_of(touched)
        self._counts[name] -= block
        after = self._cost_of(touched)
        self._counts[name] += block
        return before - after

    def _cost_of(self, terms: Iterable[Term]) -> int:
        return total(terms, self._counts).of(self.kind)


def _staying(channels: ChannelMap) -> str:
    """What of the network has no say in it, beside its output."""
    output = set(channels.places[channels.graph.output].groups)
    whole = [group for group in channels.groups if group.reason and group.name not in output]
    if not whole:
        return ""
    others = f", and {len(whole) - 1} more" if len(whole) > 1 else ""
    return f" (the channels of {whole[0].name} stay: {whole[0].reason}{others})"


def _touching(terms: tuple[Term, ...], name: str) -> tuple[Term, ...]:
    return tuple(term for term in terms if name in (term.reads, term.gives))


def _by_importance(values: np.ndarray) -> np.ndarray:
    return np.argsort(values, kind="stable")


def _least(group: Group, rules: Rules) -> int:
    """The fewest channels that may be left: a multiple, and the share that must stay."""
    share = math.ceil(round(group.channels * (1 - rules.max_removed), 6))
    return min(group.channels, rules.multiple * max(1, math.ceil(share / rules.multiple)))


def _matching(channels: ChannelMap, pattern: str) -> list[str]:
    """The calls with channels of their own that `pattern` names."""
    names = [call.name for call in channels.graph.calls]
    matching = [name for name in names if fnmatchcase(name, pattern)]
    if not matching:
        near = difflib.get_close_matches(pattern, names, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"its layers are {', '.join(names[:5])}, ..."
        raise UnknownName(f"{channels.graph.name} has no layer {pattern!r} to exclude; {hint}")
    own = {name for group in channels.groups for name in (*group.producers, *group.carriers)}
    if not own & set(matching):
        raise UnknownName(
            f"{matching[0]} has no channels of its own to exclude: name the convolution or dense layer "
            "before it"
        )
    return matching
