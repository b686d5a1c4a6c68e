"""How a search and its points are told in words."""

from __future__ import annotations

from collections.abc import Callable

from resnet_edge.core.head import HeadKind
from resnet_edge.core.results.search import FrontierPoint, Screened, SearchResult
from resnet_edge.report import words

LIMITS: dict[str, tuple[str, Callable[[float], str]]] = {
    "max_drop_pp": ("drop", lambda value: f"{value:g} pp"),
    "max_latency_ms": ("latency", lambda value: f"{words.milliseconds(value)} ms"),
    "max_size": ("file size", lambda value: words.size(int(value))),
    "max_download": ("download", lambda value: words.size(int(value))),
}
RIGHT: dict[HeadKind, str] = {
    "classes": "Top-1",
    "binary": "Top-1",
    "multilabel": "All labels",
    "embedding": "Neighbour",
}
"""What is right of an image, by the head: its class, all of its labels, or its nearest neighbour's label."""
LEFT = {
    "complete": "not on the frontier",
    "worse": "worse than others",
    "infeasible": "beyond a limit",
    "failed": "failed",
}
"""Why a trial left, by its state."""


def right_title(result: SearchResult) -> str:
    """The head of the column of `top1`."""
    return RIGHT[result.model.head.kind]


def limits(result: SearchResult) -> str:
    """`drop at most 5 pp, latency at most 3 ms`; empty without any."""
    return ", ".join(
        f"{LIMITS[name][0]} at most {LIMITS[name][1](value)}" for name, value in result.limits.items()
    )


def trial_counts(result: SearchResult) -> str:
    """How many trials there were, and how many left for which reason."""
    states = [trial.state for trial in result.trials]
    reasons = {**LEFT, "complete": "looked at on all images"}
    parts = [f"{states.count(state)} {why}" for state, why in reasons.items() if state in states]
    return f"{words.count(len(states), 'trial')}: {', '.join(parts)}"


def unproved_for(point: FrontierPoint) -> str:
    """Why it is not proved: what decided its verdict, which is beside its own network, and so nothing of what
    the network itself lost."""
    configuration = point.configuration
    changed = configuration.pruning != "none" or configuration.input_size or configuration.qat_epochs
    beside = "beside its own network, " if changed else ""
    more = f"; {point.samples_needed:,} images would decide" if point.samples_needed else ""
    unsaid = f"its proof on {point.n:,} images is {point.verdict}{more}"
    return f"{beside}{point.reasons[0]}" if point.reasons else unsaid


def figures_of(result: SearchResult) -> str:
    """Which images the figures are of, and what chose the points."""
    candidates = words.count(result.candidates, "candidate")
    return (
        f"{words.count(result.searched_on, 'image')} chose among {candidates}; "
        f"every figure of a point is of {words.count(result.held_out, 'other image')}, which no trial saw."
    )


def equal_words(result: SearchResult) -> list[str]:
    """A sentence for each set of points that cannot be told from each other."""
    alike = dict.fromkeys(tuple(sorted({p.number, *p.equal_to})) for p in result.points if p.equal_to)
    return [
        f"Points {', '.join(map(str, others))} and {last} cannot be told apart: take the easier one."
        for *others, last in alike
    ]


def why_left(trial: Screened) -> str:
    """In a sentence."""
    return trial.reason or LEFT[trial.state]
