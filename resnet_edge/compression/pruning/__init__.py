"""Channel pruning of a Keras network: which channels belong together, which go, and the smaller network.

A removed channel leaves every layer that makes, carries or reads it, so that the network
computes less on any runtime. What this file holds crosses from a worker to the parent and
imports no framework.

`groups` finds the channel sets, `importance` and `taylor` rank their channels, `selection`
chooses for a target, `cost` counts, `slicing` builds the smaller network, and `sparsity` is
the loss term for a training that prepares for pruning.
`blocks` takes whole residual branches out, and `block_choice` says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnet_edge.core.errors import UsageError

Method = Literal["magnitude", "channel"]
Kind = Literal["macs", "parameters"]
Scope = Literal["all", "inner"]
ImportanceName = Literal["norm", "taylor"]


@dataclass(frozen=True)
class PruningTarget:
    """How much shall be left: `share` (0 to 1, both excluded) of the multiply-accumulates or of
    the parameters that the network has now. Raises UsageError."""

    kind: Kind
    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise UsageError(f"a target of {self.share:g}x: give a share between 0 and 1, as 0.5")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a selection may do.

    What is left of a group is a multiple of `multiple` channels, or the whole group. A layer
    whose name matches one of `exclude` (names or globs) keeps its channels. The scope `inner`
    leaves the groups alone that an Add joins. No group loses more than the share
    `max_removed` of its channels. With `blocks`, residual blocks around identity shortcuts may
    go whole, except those with an excluded layer. Raises UsageError.
    """

    multiple: int = 8
    exclude: tuple[str, ...] = ()
    scope: Scope = "all"
    max_removed: float = 0.9
    blocks: bool = False

    def __post_init__(self) -> None:
        if self.multiple < 1:
            raise UsageError(f"channels in multiples of {self.multiple}: give 1 or more, as 8")
        if not 0 < self.max_removed < 1:
            raise UsageError(f"{self.max_removed:g} of a layer removed at most: give a share between 0 and 1")


@dataclass(frozen=True)
class Selection:
    """The channels that stay, by the name of their group, in order; a group that is not named
    stays whole."""

    kept: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates per image, of convolutions and dense layers; and all weights."""

    macs: int
    parameters: int

    def of(self, kind: Kind) -> int:
        """The one that `kind` names."""
        return self.macs if kind == "macs" else self.parameters


@dataclass(frozen=True, kw_only=True)
class GroupSummary:
    """A channel set: the `layers` that make it, its channels `before` and `after`, and the
    `reason` why it had to stay whole (None: it could be pruned)."""

    name: str
    layers: tuple[str, ...]
    before: int
    after: int
    reason: str | None


@dataclass(frozen=True)
class PruningSummary:
    """What a selection does to a network. `blocks` are the names (of the Add) of the residual
    blocks that are gone, in the order in which they went."""

    groups: tuple[GroupSummary, ...]
    before: Cost
    after: Cost
    blocks: tuple[str, ...] = ()
