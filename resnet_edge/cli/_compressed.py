"""What `prune` and `qat` print: the model before and after, side by side."""

from __future__ import annotations

from resnet_edge.cli.terminal import say, say_note
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.report.step_figures import step_figures
from resnet_edge.training.recipe import Compressed


def print_compressed(result: Compressed) -> None:
    """One line for the title, one for each figure, and the notes."""
    step = result.step
    say(f"{result.file}: {step.title}")
    rows = step_figures(step)
    width = max(len(name) for name, *_ in rows)
    wide = max(len(cell) for _, *cells, _ in rows for cell in cells)
    for name, before, after, change in rows:
        say(f"  {name:<{width}}  {before:>{wide}}  {after:>{wide}}  {change}".rstrip())
    for latency in step.latency:
        say(f"  {_latency(latency)}")
    for note in result.notes:
        say_note(note)


def _latency(latency: StepLatency) -> str:
    interval = latency.ratio_ci95
    between = "" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]"
    return (
        f"{latency.scheme} {latency.format} on {latency.backend} {latency.device}: "
        f"{latency.before_ms:.3g} ms, then {latency.after_ms:.3g} ms: {latency.ratio:.2f}x{between}"
    )
