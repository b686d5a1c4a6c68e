"""What `prune` and `qat` print: the model before and after, side by side."""

from __future__ import annotations

from resnet_edge.cli.terminal import say
from resnet_edge.core.sidecar import State, StepLatency
from resnet_edge.training.recipe import Compressed


def print_compressed(result: Compressed) -> None:
    """One line for the title, one for each figure, and the notes."""
    step = result.step
    say(f"{result.file}: {step.title}")
    rows = _rows(step.before, step.after)
    width = max(len(name) for name, *_ in rows)
    for name, before, after, change in rows:
        say(f"  {name:<{width}}  {before:>14}  {after:>14}  {change}".rstrip())
    for latency in step.latency:
        say(f"  {_latency(latency)}")
    for note in result.notes:
        say(f"note: {note}")


def _rows(before: State | None, after: State) -> list[tuple[str, str, str, str]]:
    rows = [("", "before", "after", "")]
    if after.top1 is not None:
        old = None if before is None else before.top1
        change = "" if old is None else f"{100 * (after.top1 - old):+.2f} pp on {after.images}"
        rows.append(("top-1", _percent(old), _percent(after.top1), change))
    for name, attribute in (
        ("MACs", "macs"),
        ("parameters", "parameters"),
        ("file, bytes", "file_bytes"),
        ("gzip, bytes", "gzip_bytes"),
    ):
        old = None if before is None else getattr(before, attribute)
        new = getattr(after, attribute)
        ratio = f"{new / old:.2f}x" if old and new else ""
        rows.append((name, _count(old), _count(new), ratio))
    return rows


def _latency(latency: StepLatency) -> str:
    interval = latency.ratio_ci95
    between = "" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]"
    return (
        f"{latency.scheme} {latency.format} on {latency.backend} {latency.device}: "
        f"{latency.before_ms:.3g} ms, then {latency.after_ms:.3g} ms: {latency.ratio:.2f}x{between}"
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f} %"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
