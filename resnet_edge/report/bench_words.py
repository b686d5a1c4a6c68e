"""How a bench is told in words, on the terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.bench import Bench, Timing
from resnet_edge.core.roofline import Ceilings
from resnet_edge.report import words


def shared_model(rows: Sequence[Timing]) -> str:
    """The model that all names begin with: `convert` calls its files <model>.<scheme>.<format>."""
    models = {row.artifact.rsplit(".", 2)[0] for row in rows if row.scheme}
    models |= {row.artifact.rsplit(".", 1)[0] for row in rows if row.format == "keras"}
    known = all(row.scheme or row.format == "keras" for row in rows)
    return models.pop() if len(models) == 1 and known else ""


def name_of(row: Timing, model: str) -> str:
    """A file's name without the model's."""
    return row.artifact.removeprefix(f"{model}.") if model else row.artifact


def explained(bench: Bench, rows: Sequence[Timing]) -> list[str]:
    """What the table does not say: how it was measured, and what its columns mean."""
    first = rows[0]
    rounds = min(row.rounds for row in rows)
    conditions = (
        f"{words.count(first.threads, 'thread')}, batch {first.batch}, {words.count(rounds, 'round')}"
    )
    others = bench.quiet.others
    load = "" if others is None else f"; other processes kept {others:.2f} cores busy"
    return [
        f"Latency of one call in ms, ± 95 %, {conditions} of shuffled turns in {bench.seconds:.0f} s{load}.",
        "Open, First, Memory: a fresh process opens the file and runs it once. Rows of one rank cannot be "
        "told apart; with ? a figure may not come out so again.",
        *limit_words(bench.ceilings),
    ]


def limit_words(ceilings: Ceilings | None) -> list[str]:
    """What the cores can do at most, in a sentence; none where that was not measured."""
    if ceilings is None:
        return []
    rates = [
        f"{rate:.1f} billion multiply-accumulates a second in {kind} ({by})"
        for kind, rate, by in (
            ("float32", ceilings.float_gmacs, ceilings.float_by),
            ("int8", ceilings.int8_gmacs, ceilings.int8_by),
        )
        if rate is not None
    ]
    more = " Its units for matrices (AMX) do more than that." if ceilings.tiles else ""
    return [
        "Limit: the share of what these cores can do at most, measured: "
        f"{', '.join([*rates, f'{ceilings.gigabytes:.1f} GB a second of memory'])}.{more}"
    ]
