"""The choices of a search and the values that each may take. Pure functions; runs anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, TypeVar

from resnet_edge.core.results.search import Configuration, Pruning
from resnet_edge.schemes import baseline, scheme_of

T = TypeVar("T")
Suggest = Callable[[str, tuple[Any, ...]], Any]
"""Picks one of several values for a choice, by its name."""

NATIVE = Configuration(scheme=baseline())
MOST_COUNTED = 100_000
"""Combinations beyond which nobody tries all of them, and so nobody need count them."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """The values of each choice, as Configuration has them; one value fixes it."""

    input_size: tuple[tuple[int, int] | None, ...] = (None,)
    pruning: tuple[Pruning, ...] = ("none", "channel")
    amount: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    importance: tuple[str, ...] = ("norm",)
    multiple: tuple[int, ...] = (8,)
    remove_blocks: tuple[int, ...] = (0,)
    epochs: tuple[int, ...] = (1,)
    qat_epochs: tuple[int, ...] = (0,)
    scheme: tuple[str, ...] = ("fp32", "fp16", "dynamic", "int8")
    float_layers: tuple[int, ...] = (0,)
    calibrator: tuple[str, ...] = ("auto",)
    repair: tuple[str, ...] = ("auto",)

    def values(self, name: str) -> tuple[Any, ...]:
        """Of one choice."""
        values: tuple[Any, ...] = getattr(self, name)
        return values


CHOICES = tuple(field.name for field in fields(Space))


def configured(space: Space, suggest: Suggest) -> Configuration:
    """Each choice as `suggest` picks it, in the order in which one decides whether another has anything to
    say; what has not stays as NATIVE has it, so that two configurations that make the same are equal."""

    def pick(name: str, *, applies: bool = True) -> Any:
        if not applies:
            return getattr(NATIVE, name)
        values = space.values(name)
        return values[0] if len(values) == 1 else suggest(name, values)

    pruning = pick("pruning")
    channel = pruning == "channel"
    amount = pick("amount", applies=pruning != "none")
    blocks = pick("remove_blocks", applies=channel)
    if not amount and not blocks:
        pruning, channel = "none", False
    size = pick("input_size")
    scheme = pick("scheme")
    kind = scheme_of(scheme)
    qat = pick("qat_epochs", applies=kind.activations == "int8")
    learned = qat > 0
    return Configuration(
        input_size=size,
        pruning=pruning,
        amount=amount,
        importance=pick("importance", applies=channel),
        multiple=pick("multiple", applies=channel),
        remove_blocks=blocks,
        epochs=pick("epochs", applies=pruning != "none" or size is not None),
        scheme=scheme,
        qat_epochs=qat,
        float_layers=pick("float_layers", applies=kind.activations == "int8" and not learned),
        calibrator=pick("calibrator", applies=kind.needs_calibration and not learned),
        repair=pick("repair", applies=kind.needs_calibration),
    )


def everything(space: Space) -> frozenset[Configuration] | None:
    """All configurations; None: more than MOST_COUNTED combinations."""
    combinations = 1
    for name in CHOICES:
        combinations *= len(space.values(name))
    if combinations > MOST_COUNTED:
        return None
    return frozenset(_combinations(space))


def _combinations(space: Space) -> Iterator[Configuration]:
    for combination in product(*(space.values(name) for name in CHOICES)):
        fixed = dict(zip(CHOICES, combination, strict=True))
        yield configured(space, lambda name, values, fixed=fixed: fixed[name])  # type: ignore[misc]  # bound now


def starting(space: Space) -> list[Configuration]:
    """What a person would try first: the model as it is, in each scheme, by the first of all other values."""

    def plain(scheme: str) -> Suggest:
        return lambda name, values: scheme if name == "scheme" else _first(name, values)

    return list(dict.fromkeys(configured(space, plain(scheme)) for scheme in space.scheme))


def _first(name: str, values: Sequence[T]) -> T:
    native = getattr(NATIVE, name)
    return native if native in values else values[0]
