"""One point of a frontier by a rule such as `drop<=0.5,latency<=3ms,size`. Pure functions; runs anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnet_edge.core.choices import choose
from resnet_edge.core.errors import OutOfReach, ResnetEdgeError, UsageError
from resnet_edge.core.quantities import bytes_of, seconds_of
from resnet_edge.core.results.search import FrontierPoint
from resnet_edge.report import words

EXAMPLE = "drop<=0.5,latency"
GRAMMAR = "give limits with commas between them, and what to be best in, as in drop<=0.5,latency<=3ms,size"


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something that a rule may limit or rank by: its values are better where they are smaller, but for those
    that are `more`. `value` is the end of the interval that speaks against the point; None: not measured."""

    read: Callable[[str], float]
    value: Callable[[FrontierPoint], float | None]
    spell: Callable[[float], str]
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """`quantity` has at most, or where it is `more` at least, `bound`. `text` is how it was written."""

    quantity: str
    bound: float
    text: str

    def excess(self, point: FrontierPoint) -> float:
        """How far beyond the bound, as a share of it; 0 or less where it is met."""
        quantity = QUANTITIES[self.quantity]
        value = measured(self.quantity, point)
        beyond = self.bound - value if quantity.more else value - self.bound
        return beyond / (abs(self.bound) or 1.0)


@dataclass(frozen=True, kw_only=True)
class PickRule:
    """Of the points that meet all `constraints`, the one that is best in `objective`."""

    constraints: tuple[Constraint, ...]
    objective: str


def _points(text: str) -> float:
    return _plain(re.sub(r"\s*(pp|%)$", "", text))


def _fraction(text: str) -> float:
    value = _plain(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if value > 1:
        raise UsageError(f"{text!r} is above 1: top1 is a fraction, as 0.9, or 90%")
    return value


def _plain(text: str) -> float:
    if re.fullmatch(r"-?(\d+(\.\d*)?|\.\d+)", text.strip()) is None:
        raise UsageError(f"{text!r} is no number")
    return float(text)


def _milliseconds(text: str) -> float:
    return 1000 * seconds_of(text, example="3ms", unit="")


def _size(text: str) -> float:
    return float(bytes_of(text))


QUANTITIES = {
    "drop": Quantity(
        read=_points, value=lambda point: point.drop_ci95_pp[1], spell=lambda v: f"{words.points(v)} pp"
    ),
    "latency": Quantity(
        read=_milliseconds,
        value=lambda point: None if point.p50_ci95_ms is None else point.p50_ci95_ms[1],
        spell=lambda v: f"{words.milliseconds(v)} ms",
    ),
    "size": Quantity(read=_size, value=lambda point: point.size_bytes, spell=lambda v: words.size(int(v))),
    "download": Quantity(
        read=_size, value=lambda point: point.download_bytes, spell=lambda v: words.size(int(v))
    ),
    "top1": Quantity(
        read=_fraction,
        value=lambda point: None if point.top1_ci95 is None else point.top1_ci95[0],
        spell=lambda v: f"{v:.4f}",
        more=True,
    ),
}
OBJECTIVES = {"accuracy": "drop", **{name: name for name in QUANTITIES}}
"""What a point may be best in, and the quantity that says so: the smallest drop is the best accuracy."""
_SIGN = re.compile(r"(<=|>=|==|=|<|>|≤|≥)")


def measured(quantity: str, point: FrontierPoint) -> float:
    """Raises UsageError where the search did not measure it."""
    value = QUANTITIES[quantity].value(point)
    if value is None:
        why = "the images have no labels" if quantity == "top1" else "this search measured none"
        raise UsageError(f"{quantity} says nothing of point {point.number}: {why}; leave it out")
    return value


def pick_rule(text: str) -> PickRule:
    """Raises UsageError, UnknownName."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise UsageError(f"{text!r} is no rule: {GRAMMAR}")
    limits = [_constraint(part) for part in parts if _SIGN.search(part)]
    objectives = [choose("objective", part, OBJECTIVES) for part in parts if not _SIGN.search(part)]
    if len(objectives) != 1:
        several = "nothing to be best in" if not objectives else f"several things: {', '.join(objectives)}"
        raise UsageError(f"{text!r} names {several}; name exactly one, as in {EXAMPLE}")
    twice = next(
        (one.quantity for one in limits if [each.quantity for each in limits].count(one.quantity) > 1), None
    )
    if twice is not None:
        raise UsageError(f"{text!r} limits {twice} twice: give one limit for each")
    return PickRule(constraints=tuple(limits), objective=OBJECTIVES[objectives[0]])


def _constraint(part: str) -> Constraint:
    name, sign, bound = (each.strip() for each in _SIGN.split(part, maxsplit=1))
    quantity = choose("quantity", name, QUANTITIES)
    wanted = ">=" if QUANTITIES[quantity].more else "<="
    if sign not in (wanted, {"<=": "≤", ">=": "≥"}[wanted]):
        raise UsageError(f"{part!r}: write {quantity}{wanted}{bound or 'LIMIT'}")
    try:
        return Constraint(quantity=quantity, bound=QUANTITIES[quantity].read(bound), text=part)
    except ResnetEdgeError as error:
        raise UsageError(f"{part!r}: {error}") from error


def picked(rule: PickRule, points: Sequence[FrontierPoint]) -> FrontierPoint:
    """The point, judged by the ends of its intervals that speak against it. Raises OutOfReach with the
    nearest one, and UsageError where a quantity was not measured."""
    if not points:
        raise OutOfReach("no point can be picked: the frontier is empty; search with wider limits")
    meeting = [point for point in points if all(one.excess(point) <= 0 for one in rule.constraints)]
    if not meeting:
        raise OutOfReach(_nearest(rule, points))
    return min(meeting, key=lambda point: (_rank(rule, point), point.drop_ci95_pp[1], point.number))


def _rank(rule: PickRule, point: FrontierPoint) -> float:
    value = measured(rule.objective, point)
    return -value if QUANTITIES[rule.objective].more else value


def _nearest(rule: PickRule, points: Sequence[FrontierPoint]) -> str:
    wanted = " and ".join(one.text for one in rule.constraints)
    near = min(points, key=lambda point: (max(one.excess(point) for one in rule.constraints), point.number))
    has = ", ".join(
        f"{one.quantity} {'down' if QUANTITIES[one.quantity].more else 'up'} to "
        f"{QUANTITIES[one.quantity].spell(measured(one.quantity, near))}"
        for one in rule.constraints
    )
    nearest = f"the nearest is point {near.number}, with {has}"
    return f"no point has {wanted} for sure, by its 95 % intervals; {nearest}"
