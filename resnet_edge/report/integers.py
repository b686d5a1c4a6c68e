"""Whether int8 really ran, and what it gives on a processor without VNNI, in words and tables."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.execution import Execution, OperatorCount
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.core.results.profile import short
from resnet_edge.report import words
from resnet_edge.report.blocks import TextTable

RAN_HOW = (
    "Of all multiply-accumulates for one image: how many the file states in integers, and how many the "
    "runtime computed in them. ONNX Runtime and OpenVINO tell it of the graph that they made of the file; "
    "LiteRT computes each operation in the types that the file gives it, and reports what XNNPACK took."
)
RAN_HEADER = ("Artifact", "Backend", "Stated", "Ran", "By")
RISK_HEADER = ("Layer", "Pairs of weights", "Can overflow", "Largest sum", "Overflowed")
WORST = 5
LEAST = 1e-5
"""A smaller share is not told in digits."""


def execution_table(executions: Sequence[Execution]) -> TextTable | None:
    """A row for each artifact at each place that tells; None where none does."""
    body = tuple(_execution(each) for each in executions)
    return TextTable(RAN_HEADER, body, range(2, 4), names=range(1)) if body else None


def _execution(ran: Execution) -> tuple[str, ...]:
    return (
        ran.artifact,
        f"{ran.backend} {ran.device}",
        _share(ran.stated_int8_macs, ran.macs),
        _share(ran.int8_macs, ran.macs),
        "; ".join(_operators(by, ran.operators) for by in _parts(ran.operators)),
    )


def _parts(operators: Sequence[OperatorCount]) -> list[str]:
    return list(dict.fromkeys(each.by for each in operators if each.macs))


def _operators(by: str, operators: Sequence[OperatorCount]) -> str:
    counts = [f"{each.count} {each.op} {each.precision}" for each in operators if each.macs and each.by == by]
    return f"{by}: {', '.join(counts)}"


def _small(fraction: float) -> str:
    if not fraction:
        return "0 %"
    return f"{100 * fraction:.2g} %" if fraction >= LEAST else f"< {100 * LEAST:.3f} %"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else words.ABSENT


def risk_sentences(risks: Sequence[Int8Risk]) -> list[str]:
    """What happens, and what to do, of each artifact."""
    lines = [f"{words.printable(risk.artifact)}: {line}." for risk in risks for line in risk.advice]
    lines += [
        f"{words.printable(risk.artifact)}: {words.count(len(risk.left_out), 'layer')} of integers not "
        "emulated: weights or scales are computed for each image."
        for risk in risks
        if risk.left_out
    ]
    return lines


def risk_table(risks: Sequence[Int8Risk]) -> TextTable | None:
    """The layers that overflow most, of the artifact named where there are several; None where none can."""
    several = sum(bool(risk.at_risk) for risk in risks) > 1
    layers = [(layer, f"{risk.artifact}: " if several else "") for risk in risks for layer in risk.at_risk]
    worst = sorted(layers, key=lambda row: (-row[0].overflowed, -row[0].at_risk / row[0].pairs))[:WORST]
    body = tuple(
        (
            f"{artifact}{short(layer.layer)}",
            f"{layer.pairs:,}",
            f"{100 * layer.at_risk / layer.pairs:.1f} %",
            f"{layer.worst:.2f}x",
            _small(layer.overflowed),
        )
        for layer, artifact in worst
    )
    return TextTable(RISK_HEADER, body, range(1, 5)) if body else None
