"""What images show of an artifact, whatever its head, and what it is of one that tells classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion
from resnet_edge.core.class_name import class_name
from resnet_edge.core.proportion import DropPoints
from resnet_edge.core.results.parity import ClassDrop, Cosine, LabelDrop, Verdict
from resnet_edge.core.sequential import quantile, quantile_to_fail
from resnet_edge.evaluation.classes import worst_class
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.rules import on_agreement, on_drop, on_reference, tabulate
from resnet_edge.evaluation.sanity import Finding, Values

Labels = NDArray[np.int64]
WORST: dict[Verdict, int] = {"pass": 0, "inconclusive": 1, "fail": 2}
"""The order of verdicts where the worst of several decides."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`finding` is what these images prove, and `on_chance` whether the reference is any good on them, None
    without labels. Of `n` images `agreement` is the share whose answer is the reference's. The others are as
    in core.results.parity; `remarks` are sentences that decide nothing."""

    finding: Finding
    n: int
    agreement: float
    agreement_ci95: tuple[float, float]
    on_chance: Finding | None = None
    top1: float | None = None
    reference_top1: float | None = None
    drop: DropPoints | None = None
    lost: int | None = None
    gained: int | None = None
    worst: ClassDrop | None = None
    deciding_label: int | None = None
    labels: tuple[LabelDrop, ...] = ()
    cosine: Cosine | None = None
    remarks: tuple[str, ...] = ()


SIGNIFICANT = 0.05


def of_classes(
    reference: Values, candidate: Values, labels: Labels | None, request: CompareOutputs
) -> Figures:
    """Of outputs (N, outputs of the head), each of which stands for one class; labels (N,)."""
    head, limit_pp = request.head, request.max_drop_pp
    z, to_fail = quantile(request.looks), quantile_to_fail(request.looks, early=request.early)
    table = tabulate(reference, candidate, labels, head)
    n, same, labelled = table.n, table.n - table.changed, table.labelled
    agreement = proportion.wilson(same, n, z)
    if labelled is None or labels is None:
        finding = on_agreement(n, table.changed, limit_pp, z, to_fail)
        return Figures(finding=finding, n=n, agreement=same / n, agreement_ci95=agreement)
    worst = worst_class(reference, candidate, labels, head, request.looks)
    return Figures(
        finding=on_drop(n, labelled.lost, labelled.gained, limit_pp, z, to_fail),
        n=n,
        agreement=same / n,
        agreement_ci95=agreement,
        on_chance=on_reference(n, labelled.reference_right, 1 / head.classes, z),
        top1=labelled.right / n,
        reference_top1=labelled.reference_right / n,
        drop=table.drop(z),
        lost=labelled.lost,
        gained=labelled.gained,
        worst=worst,
        remarks=_on_class(worst, request.class_names),
    )


def _on_class(worst: ClassDrop | None, names: Sequence[str]) -> tuple[str, ...]:
    """A sentence where a class loses what chance does not explain."""
    if worst is None or worst.p_adjusted > SIGNIFICANT:
        return ()
    return (
        f"class {class_name(worst.label, names)} loses more than chance explains: {worst.lost} of its "
        f"{worst.n:,} images lost and {worst.gained} gained (p {worst.p_adjusted:.2g}, all "
        "classes looked at)",
    )
