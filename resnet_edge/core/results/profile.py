"""How long the operators of an artifact take, as its runtime tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorTime:
    """`layer` is the name of what it computes, the same in every format that came of one model ("": it
    is there for the runtime's sake); `kind` what the runtime calls it; `microseconds` the mean over
    the middle half of several inferences; `macs` its multiply-accumulates (0: it does none)."""

    layer: str
    kind: str
    microseconds: float
    macs: int = 0


@dataclass(frozen=True)
class Profile:
    """All operators of one inference, in the order of execution.

    `runs` inferences were watched. Watching costs time: shares hold, sums do not.
    """

    operators: tuple[OperatorTime, ...]
    runs: int

    @property
    def microseconds(self) -> float:
        """Of all operators."""
        return sum(operator.microseconds for operator in self.operators)


def short(layer: str) -> str:
    """A layer's name without the network's and without the operation's."""
    parts = layer.split("/")
    return "/".join(parts[1:-1]).removesuffix("/batchnorm") if len(parts) > 2 else layer
