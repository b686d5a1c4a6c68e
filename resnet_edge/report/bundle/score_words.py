"""What goes into a model file of a bundle and what comes out, for who never saw the model."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.head import Output
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.report.markdown import code

_UNIT: Mapping[Output, str] = {"probabilities": "probability", "logits": "logit"}
_SUM: Mapping[Output, str] = {
    "probabilities": ", and together they make 1",
    "logits": "; a softmax makes probabilities of them",
}


def score_words(files: tuple[BundledFile, ...], labels: tuple[str, ...]) -> list[str]:
    """A section in Markdown: each meaning once, with the files that have it where there are several."""
    by_meaning: dict[str, list[str]] = {}
    for file in files:
        by_meaning.setdefault(_meaning(file, labels), []).append(code(file.path))
    several = len(by_meaning) > 1
    lines = [
        f"- {', '.join(paths)}: {meaning}" if several else meaning for meaning, paths in by_meaning.items()
    ]
    stored = [f"- {code(file.path)}: {how}." for file in files if (how := _integers(file))]
    whole = ["", "Whole numbers, at the ends of these files:", "", *stored] if stored else []
    return ["## What the scores are", "", *lines, *whole, ""] if lines else []


def _meaning(file: BundledFile, labels: tuple[str, ...]) -> str:
    head = file.head
    if head.kind == "embedding":
        return (
            f"{head.dimensions:,} numbers for an image. Two images are alike where the cosine of their "
            "numbers is near 1; an image has no answer of its own."
        )
    unit = _UNIT[file.scores]
    if head.kind == "binary":
        no, yes = map(code, labels)
        return (
            f"one number, the {unit} of {yes}. Above {head.threshold:g} the answer is {yes}, else it is {no}."
        )
    order = (
        f"{len(labels):,} numbers in the order of `labels.txt`: the first is the {unit} of {code(labels[0])}"
    )
    if head.kind == "multilabel":
        limits = set(head.own_thresholds)
        above = f"{limits.pop():g}" if len(limits) == 1 else "its own threshold (`golden/golden.json`)"
        return f"{order}. Every label above {above} is an answer; there may be several, or none."
    return f"{order}{_SUM[file.scores]}. The largest is the answer."


def _integers(file: BundledFile) -> str:
    ends = []
    if (takes := _affine(file.input)) is not None:
        scale, zero_point = takes
        if (scale, zero_point) != (1, 0):
            ends.append(f"a pixel p goes in as {_shifted(_divided(scale), zero_point)}")
    if (gives := _affine(file.output)) is not None:
        scale, zero_point = gives
        ends.append(f"a number q that comes out is the score {scale:.9g} * ({_shifted('q', -zero_point)})")
    return "; ".join(ends)


def _divided(scale: float) -> str:
    return "p" if scale == 1 else f"round(p / {scale:.9g})"


def _shifted(term: str, by: int) -> str:
    return f"{term} {'-' if by < 0 else '+'} {abs(by)}" if by else term


def _affine(tensor: TensorSpec) -> tuple[float, int] | None:
    """Scale and zero point; None where the tensor is of floats."""
    stored = tensor.quantization
    if stored is None or len(stored.scale) != 1:
        return None
    return stored.scale[0], stored.zero_point[0]
