"""What images show of an artifact that tells for each of several labels whether an image has it.

Every label is judged by the paired interval of the drop in its right answers (Tango, as for classes), and the
file is as good as its worst label: it passes where all of them do, and fails where one does.

The intervals are corrected by Bonferroni's inequality: of L labels, each is of 1 - 0.05 / L, so that all of
them hold together with 95 %, and the interval that is shown is the one that decides. Holm's procedure (S.
Holm, Scandinavian Journal of Statistics 6 (1979) 65) rejects more, but it is one of tests: it has no
intervals that a report could show. To pass, no correction would be needed, since every label must (the
intersection-union principle, R. L. Berger, Technometrics 24 (1982) 295); it stays, for who reads that label 7
holds within 0.3 pp reads the one of many that looked best or worst.

Of a rare label all images say little: it may be lost altogether, and its answers are still right on nearly
all of them. Where so few images have a label (or have it not) that losing all of these would be within the
limit, it is judged on these alone, and as many as they are decide what can be proved. A label that no image
has, or every image, shows nothing, and neither does one that the reference tells no better than chance.
Where labels changed places, the file fails whatever that costs: of two that mostly come together, it is
little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import proportion
from resnet_edge.core.answers import answers
from resnet_edge.core.class_name import class_name
from resnet_edge.core.proportion import DropPoints
from resnet_edge.core.results.parity import Among, LabelDrop
from resnet_edge.core.sequential import quantile, quantile_to_fail
from resnet_edge.evaluation.classes import at_least
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.figures import SIGNIFICANT, WORST, Figures, Labels
from resnet_edge.evaluation.moved import in_another_order
from resnet_edge.evaluation.rules import Labelled, advice, counted_right, on_agreement, on_drop
from resnet_edge.evaluation.sanity import Finding, Values

Answers = NDArray[np.bool_]
"""Whether images have a label: (N,)."""
TOGETHER = "the intervals of all labels hold together with 95 %"
CHECK = "check the labels and --preprocess, or pass --accept-reference if that is expected"
drop_points = lru_cache(maxsize=4096)(proportion.drop_points)
"""Of most labels none is lost and none gained."""


@dataclass(frozen=True, kw_only=True)
class _Label:
    """One label, judged; `low` and `high` are the ends of what decides, `recognised` whether the reference
    tells it better than chance, and `odds` how likely what it loses is by chance."""

    row: LabelDrop
    finding: Finding
    low: float
    high: float
    right: int = 0
    reference_right: int = 0
    recognised: bool = True
    odds: tuple[float, str] = (1.0, "")


def of_labels(
    reference: Values, candidate: Values, labels: Labels | None, request: CompareOutputs
) -> Figures:
    """Of outputs (N, labels); `labels` (N, labels), 0 and 1, or None."""
    theirs, ours = (_by_label(answers(request.head, each)) for each in (reference, candidate))
    rule = _Rule.of(request)
    if labels is None:
        judged = [rule.on_agreement(k, *both) for k, both in enumerate(zip(theirs, ours, strict=True))]
    else:
        each = enumerate(zip(theirs, ours, _by_label(labels), strict=True))
        judged = [rule.on_drop(k, *three) for k, three in each]
    figures = _together(judged, len(candidate), request)
    swapped = in_another_order(reference, candidate, "labels")
    return figures if swapped is None else replace(figures, finding=swapped)


def _by_label(answer: NDArray[np.int64]) -> Answers:
    """(labels, N), each of them in one piece."""
    return np.ascontiguousarray(answer.T.astype(bool))


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """The limit, and normal quantiles: `z` of the interval of each of all labels, `to_fail` of the one that
    is to be above the limit for a failure, and `each` of one that stands alone. `names` are of the labels."""

    limit_pp: float
    z: float
    to_fail: float
    each: float
    accept_reference: bool
    names: tuple[str, ...]

    @classmethod
    def of(cls, request: CompareOutputs) -> _Rule:
        looks = request.looks * request.head.classes
        return cls(
            limit_pp=request.max_drop_pp,
            z=quantile(looks),
            to_fail=quantile_to_fail(looks, early=request.early),
            each=quantile(request.looks),
            accept_reference=request.accept_reference,
            names=request.class_names,
        )

    def on_agreement(self, label: int, theirs: Answers, ours: Answers) -> _Label:
        name = class_name(label, self.names)
        among, rows = self._judged_on(theirs)
        unseen = _unseen(name, theirs, "the reference sees")
        if unseen:
            among, rows = "all", np.ones_like(theirs)
        n, changed = int(np.count_nonzero(rows)), int(np.count_nonzero((theirs != ours)[rows]))
        low, high = proportion.wilson(changed, n, self.z)
        where = {"with": " where the reference sees it", "without": " where the reference does not see it"}
        what = f"the answer to label {name}{where.get(among, '')}"
        finding = unseen or on_agreement(n, changed, self.limit_pp, self.z, self.to_fail, what)
        if among != "all":
            whose = "have it by the reference" if among == "with" else "do not have it by the reference"
            finding = _of_few(finding, n, len(theirs), whose)
        row = LabelDrop(
            label=label,
            verdict=finding.verdict,
            agreement=(n - changed) / n,
            agreement_ci95=(1 - high, 1 - low),
            among=among,
        )
        return _Label(row=row, finding=finding, low=100 * low, high=100 * high)

    def on_drop(self, label: int, theirs: Answers, ours: Answers, own: Answers) -> _Label:
        name = class_name(label, self.names)
        among, rows = self._judged_on(own)
        every = counted_right(theirs == own, ours == own)
        counts = counted_right(theirs[rows] == own[rows], ours[rows] == own[rows])
        n, recognised = int(np.count_nonzero(rows)), _recognised(theirs, own, self.each)
        finding = _unseen(name, own, "the labels have") or self._finding(name, among, n, counts, len(own))
        if finding.verdict == "pass" and not recognised and not self.accept_reference:
            finding = Finding("inconclusive", f"{_untold(f'label {name}')}: {CHECK}")
        drop = drop_points(n, counts.lost, counts.gained, self.z) if n else DropPoints(0.0, -100.0, 100.0)
        same = int(np.count_nonzero(theirs == ours))
        row = LabelDrop(
            label=label,
            verdict=finding.verdict,
            agreement=same / len(own),
            agreement_ci95=proportion.wilson(same, len(own), self.z),
            n=int(np.count_nonzero(own)),
            accuracy=every.right / len(own),
            reference_accuracy=every.reference_right / len(own),
            among=among,
            drop_pp=drop.value,
            drop_ci95_pp=(drop.low, drop.high),
            lost=counts.lost,
            gained=counts.gained,
        )
        return _Label(
            row=row,
            finding=finding,
            low=drop.low,
            high=drop.high,
            right=every.right,
            reference_right=every.reference_right,
            recognised=recognised,
            odds=_odds(name, theirs, ours, own),
        )

    def _judged_on(self, own: Answers) -> tuple[Among, Answers]:
        """All images, unless the limit allows to lose all that have the label, or that have it not."""
        allowed = self.limit_pp / 100 * len(own)
        if np.count_nonzero(own) <= allowed:
            return "with", own
        return ("without", ~own) if np.count_nonzero(~own) <= allowed else ("all", np.ones_like(own))

    def _finding(self, name: str, among: Among, n: int, counts: Labelled, total: int) -> Finding:
        what, args = f"label {name}: the drop in right answers", (n, counts.lost, counts.gained)
        if among == "all":
            return on_drop(*args, self.limit_pp, self.z, self.to_fail, what)
        whose = "have it" if among == "with" else "do not have it"
        finding = on_drop(*args, self.limit_pp, self.z, self.to_fail, f"{what} on those that {whose},")
        return _of_few(finding, n, total, whose)


def _of_few(finding: Finding, n: int, total: int, whose: str) -> Finding:
    """What is open of the `n` of `total` images that a label is judged on, with how many of both would
    decide it: as many of all images as hold so many of these."""
    if finding.verdict != "inconclusive":
        return finding
    needed = finding.samples_needed
    few = f"{n:,} of {total:,} images {whose}, and to lose all of them would be within the limit"
    reason = finding.reason.replace(advice(needed), _advice(needed, whose))
    scaled = None if needed is None else math.ceil(needed * total / n)
    return Finding("inconclusive", f"{reason} ({few})", scaled)


def _advice(needed: int | None, whose: str) -> str:
    return advice(needed).replace(" images would", f" images that {whose} would")


def _untold(what: str) -> str:
    return f"the reference classifies {what} no better than by chance, so that no drop could show"


def _unseen(name: str, has: Answers, who: str) -> Finding | None:
    """Where all images have a label, or none has it, nothing is proved of the other answer."""
    if has.any() and not has.all():
        return None
    which, other = ("all", "without it") if has.all() else ("none", "that have it")
    return Finding(
        "inconclusive",
        f"{who} label {name} on {which} of the images, and nothing is proved of it: give --data with images "
        f"{other}",
    )


def _recognised(theirs: Answers, own: Answers, z: float) -> bool:
    """Whether the reference gives the label oftener to images that have it than to others, beyond chance: by
    the interval of the difference of the two shares (R. G. Newcombe, Statistics in Medicine 17 (1998) 873,
    method 10). By its accuracy a reference that always says the commoner answer would be good."""
    n, rest = int(np.count_nonzero(own)), int(np.count_nonzero(~own))
    if not n or not rest:
        return True
    with_it, without = int(np.count_nonzero(theirs & own)), int(np.count_nonzero(theirs & ~own))
    low, high = proportion.wilson(with_it, n, z)[0], proportion.wilson(without, rest, z)[1]
    apart = with_it / n - without / rest
    return apart > math.hypot(with_it / n - low, high - without / rest)


def _odds(name: str, theirs: Answers, ours: Answers, own: Answers) -> tuple[float, str]:
    """How likely it is by chance that images with the label, or without it, lose as many answers as they do
    (McNemar's exact test, one-sided, as for a class), and the sentence that says so."""
    odds = []
    for whose, rows in (("have it", own), ("do not have it", ~own)):
        part = counted_right(theirs[rows] == own[rows], ours[rows] == own[rows])
        chance = at_least(part.lost, part.lost + part.gained)
        said = (
            f"label {name}: of the {np.count_nonzero(rows):,} images that {whose}, {part.lost} are lost and"
        )
        odds.append((chance, f"{said} {part.gained} gained, more than chance explains"))
    return min(odds)


def _together(judged: list[_Label], n: int, request: CompareOutputs) -> Figures:
    """The figures of the file, of which the worst label decides."""
    worst = max(judged, key=_badness)
    row, values = worst.row, n * len(judged)
    like = [one for one in judged if one.finding.verdict == worst.finding.verdict]
    labelled = row.drop_pp is not None
    return Figures(
        finding=Finding(worst.finding.verdict, _sentence(worst, like, len(judged)), _needed(like)),
        n=n,
        agreement=row.agreement,
        agreement_ci95=row.agreement_ci95,
        on_chance=_on_chance(judged) if labelled else None,
        top1=sum(one.right for one in judged) / values if labelled else None,
        reference_top1=sum(one.reference_right for one in judged) / values if labelled else None,
        drop=_drop(row),
        lost=row.lost,
        gained=row.gained,
        deciding_label=row.label,
        labels=tuple(one.row for one in judged),
        remarks=tuple(_remarks(judged, request.looks)),
    )


def _badness(one: _Label) -> tuple[int, float]:
    return WORST[one.finding.verdict], one.low if one.finding.verdict == "fail" else one.high


def _drop(row: LabelDrop) -> DropPoints | None:
    if row.drop_pp is None or row.drop_ci95_pp is None:
        return None
    return DropPoints(row.drop_pp, *row.drop_ci95_pp)


def _sentence(worst: _Label, like: list[_Label], total: int) -> str:
    """What the deciding label says, and how many others do."""
    reason, others = worst.finding.reason, len(like) - 1
    if worst.finding.verdict == "pass":
        return f"of {total} labels the worst, {reason} ({TOGETHER})"
    does = "fail" if worst.finding.verdict == "fail" else "are undecided"
    if not others:
        return f"{reason}; it is the only one of {total} labels ({TOGETHER})"
    return f"{reason}; {others} more of {total} labels {does} ({TOGETHER})"


def _needed(like: list[_Label]) -> int | None:
    """The most of what labels need; None where one needs what no number gives."""
    counts = [one.finding.samples_needed for one in like]
    return None if None in counts else max(count for count in counts if count is not None)


def _on_chance(judged: list[_Label]) -> Finding:
    if any(one.recognised for one in judged):
        return Finding("pass", "")
    return Finding("inconclusive", f"{_untold('any label')}: {CHECK}")


def _remarks(judged: list[_Label], looks: int) -> Iterable[str]:
    """The label that loses what chance explains least, where it does not: among the images with and without
    each label (S. Holm, 1979, of which the smallest is all that is told)."""
    chance, sentence = min(one.odds for one in judged)
    adjusted = 2 * looks * len(judged) * chance
    if adjusted <= SIGNIFICANT:
        yield f"{sentence} (p {adjusted:.2g}, all labels looked at)"
