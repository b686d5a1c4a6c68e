"""The figures of a model before and after a step (pruned, fine-tuned), side by side as text."""

from __future__ import annotations

from resnet_edge.core.sidecar import Step

Figures = tuple[str, str, str, str]


def step_figures(step: Step) -> list[Figures]:
    """The head, and a row for each figure: its name, before, after, and what changed. A cell is empty where
    that is not known."""
    before, after = step.before, step.after
    rows = [("", "before", "after", "")]
    if after.top1 is not None:
        old = None if before is None else before.top1
        change = "" if old is None else f"{100 * (after.top1 - old):+.2f} pp on {after.images}"
        rows.append(("top-1", _percent(old), _percent(after.top1), change))
        between = step.top1_change_ci95_pp
        rows.append(
            (
                "95 %",
                _interval(None if before is None else before.top1_ci95, 100, ".2f"),
                _interval(after.top1_ci95, 100, ".2f"),
                "" if between is None else f"{_interval(between, 1, '+.2f')} pp",
            )
        )
    return rows + [
        _counted(name, None if before is None else getattr(before, attribute), getattr(after, attribute))
        for name, attribute in (
            ("MACs", "macs"),
            ("parameters", "parameters"),
            ("file, bytes", "file_bytes"),
            ("gzip, bytes", "gzip_bytes"),
        )
    ]


def _counted(name: str, old: int | None, new: int | None) -> Figures:
    ratio = f"{new / old:.2f}x" if old and new else ""
    return name, _count(old), _count(new), ratio


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f} %"


def _interval(between: tuple[float, float] | None, unit: float, form: str) -> str:
    return "" if between is None else f"[{unit * between[0]:{form}}, {unit * between[1]:{form}}]"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
