"""A model before and after a step, side by side."""

from __future__ import annotations

from resnet_edge.core.proportion import wilson
from resnet_edge.core.sidecar import State, Step
from resnet_edge.report.step_figures import step_figures

AFTER = State(
    sha256="", parameters=50, macs=2_000, file_bytes=300, gzip_bytes=0, top1=0.9,
    top1_ci95=wilson(9, 10), n=10, images="ten images",
)  # fmt: skip
BEFORE = State(sha256="", parameters=100, macs=None, file_bytes=1_200, gzip_bytes=700, top1=0.92)


def step(before: State | None) -> Step:
    return Step(
        step="prune", title="", command="", resnet_edge="", before=before, after=AFTER,
        top1_change_ci95_pp=None if before is None else (-30.0, 26.0),
    )  # fmt: skip


def test_each_figure_stands_beside_what_it_was() -> None:
    assert step_figures(step(BEFORE)) == [
        ("", "before", "after", ""),
        ("top-1", "92.00 %", "90.00 %", "-2.00 pp on ten images"),
        ("95 %", "", "[59.58, 98.21]", "[-30.00, +26.00] pp"),
        ("MACs", "", "2,000", ""),
        ("parameters", "100", "50", "0.50x"),
        ("file, bytes", "1,200", "300", "0.25x"),
        ("gzip, bytes", "700", "0", ""),
    ]


def test_what_is_not_known_of_before_is_empty() -> None:
    assert {before for _, before, *_ in step_figures(step(None))[1:]} == {""}
