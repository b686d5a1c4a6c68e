"""Which step between the model and an artifact's answers loses how much, in words and a table."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.attribution import MEANING, Attribution, Cause, Share
from resnet_edge.core.tolerances import Unit
from resnet_edge.report import words
from resnet_edge.report.blocks import TextTable

KERNELS_HOW = (
    "What kernels add: how far outputs are from those of the file operation by operation (root mean square), "
    "in steps of the grid that outputs are on, or in per cent of the outputs."
)
ORDER: tuple[Cause, ...] = ("pruning", "preprocessing", "conversion", "quantization", "kernels", "all")


def causes_table(attributions: Sequence[Attribution]) -> TextTable | None:
    """A row for each artifact at each place, a column for each step: the drop in percentage points, or,
    without labels, the share of answers that change, each with its interval. None where nothing was split."""
    causes = [cause for cause in ORDER if any(_of(each, cause) for each in attributions)]
    if not causes:
        return None
    body = tuple(
        (
            (each.artifact, f"{each.backend} {each.device}"),
            *(_cell(_of(each, cause)) for cause in causes),
        )
        for each in attributions
    )
    header = ("Artifact", *(cause.capitalize() for cause in causes))
    return TextTable(header, body, range(1, len(header)), names=range(1))


def causes_how(attributions: Sequence[Attribution]) -> str:
    """What the columns of the table mean."""
    if not attributions:
        return ""
    n = attributions[0].n
    what = (
        "Accuracy that is lost, in percentage points"
        if attributions[0].whole.drop_pp is not None
        else "Answers that change"
    )
    steps = [f"{share.cause}: {MEANING[share.cause]}" for share in attributions[0].shares]
    return (
        f"{what}, from step to step on the same {words.count(n, 'image')}; under a number its 95 % interval. "
        f"{'; '.join(steps)}."
    )


def causes_sentences(attributions: Sequence[Attribution]) -> list[str]:
    """A sentence for each artifact with a step that changes an answer."""
    lines = [_sentence(each) for each in attributions if any(share.changed for share in each.shares)]
    lines += [
        f"{words.printable(each.artifact)}: {remark}." for each in attributions for remark in each.remarks
    ]
    return lines


def _sentence(attribution: Attribution) -> str:
    changing = [share for share in attribution.shares if share.changed]
    steps = ", ".join(f"{share.cause} {_figures(share)}" for share in changing)
    rest = "no other step changes an answer" if len(changing) < len(attribution.shares) else "every step does"
    what = "changes" if attribution.whole.drop_pp is None else "loses"
    where = f"{words.printable(attribution.artifact)} on {attribution.backend} {attribution.device}"
    whole = f"{_figures(attribution.whole)}{'' if attribution.whole.drop_pp is None else ' pp'}"
    return f"{where} {what} {whole} on {words.count(attribution.n, 'image')}: {steps}; {rest}."


def kernels_table(attributions: Sequence[Attribution]) -> TextTable | None:
    """What kernels add at each place, what they may, and why so much; None where it was not measured."""
    header = ("Artifact", "Kernels add", "They may", "For")
    body = tuple(
        (
            (each.artifact, f"{each.backend} {each.device}"),
            _amount(each.kernels.measured, each.kernels.tolerance.unit),
            _amount(each.kernels.allowed, each.kernels.tolerance.unit),
            f"{each.kernels.tolerance.name}: {each.kernels.tolerance.reason}",
        )
        for each in attributions
    )
    return TextTable(header, body, range(1, 3), names=range(1)) if body else None


def _amount(value: float, unit: Unit) -> str:
    return f"{value:.3g} steps" if unit == "steps" else f"{100 * value:.2g} %"


def _figures(share: Share) -> str:
    return " ".join(_cell(share)).strip()


def _of(attribution: Attribution, cause: Cause) -> Share | None:
    return next((share for share in (*attribution.shares, attribution.whole) if share.cause == cause), None)


def _cell(share: Share | None) -> tuple[str, str]:
    if share is None:
        return words.ABSENT, ""
    if share.drop_pp is not None:
        return words.estimate(share.drop_pp, share.drop_ci95_pp, words.points)
    low, high = share.changed_ci95
    return f"{100 * share.changed:.2f} %", f"[{100 * low:.2f}, {100 * high:.2f}]"
