"""Runs in the parent. Proofs that rest on images which the artifacts were calibrated with."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.proportion import Z95, drop_points, wilson
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.schemes import scheme_of

ACCIDENT = 0.05
"""The share of images that two sets may have in common by accident: 3.3 % of the test images of CIFAR-10 are
in its training set, too (B. Barz, J. Denzler, Journal of Imaging 6 (2020) 41)."""


def on_new_images(
    judged: Sequence[Judgement], lint: CalibrationLint | None, max_drop_pp: float, z: float = Z95
) -> list[Judgement]:
    """The same, inconclusive where a calibrated file passes only with the images that it was fitted to.

    They are counted by their pixels (calibrate/image_lint.py). A few that are in both by ACCIDENT change
    nothing where the others prove the drop without them, and the worst is assumed of what was gained on
    them; where there are more, the two are the same images. `z`: the normal quantile of the intervals.
    """
    leaked = 0 if lint is None else int(lint.figures.get("leaked", 0))
    if lint is None or not leaked:
        return [*judged]
    same = leaked > ACCIDENT * min(lint.n, lint.against_n)
    return [_without(one, leaked, None if same else max_drop_pp, z) for one in judged]


def _without(judged: Judgement, leaked: int, max_drop_pp: float | None, z: float) -> Judgement:
    """`max_drop_pp` None: the other images do not count."""
    row, scheme = judged.parity, scheme_of(judged.proof.job.scheme)
    if row.verdict != "pass" or not scheme.needs_calibration:
        return judged
    if max_drop_pp is not None and _proved(row, row.n - leaked, max_drop_pp, z):
        return judged
    return judged.unproved(
        f"{leaked:,} of the {row.n:,} images of the proof are among the calibration images, which the "
        "file is fitted to: give --data and --calibration different images"
    )


def _proved(row: Parity, n: int, max_drop_pp: float, z: float) -> bool:
    """Whether `n` of the images prove the drop, with all that was lost among them."""
    if n <= 0:
        return False
    if row.lost is not None and row.gained is not None:
        gained = max(0, row.gained - (row.n - n))
        return row.lost + gained <= n and drop_points(n, row.lost, gained, z).high <= max_drop_pp
    changed = round((1 - (row.agreement or 0)) * row.n)
    return changed <= n and 100 * wilson(changed, n, z)[1] <= max_drop_pp
