"""Runs in the parent. Whether the reference is as good as it should be: every proof is against it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.proportion import wilson
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.sidecar import Step, sidecar_path
from resnet_edge.data.images_task import Images

Z999 = NormalDist().inv_cdf(0.9995)
"""Two-sided 99.9 %: an honest claim is doubted once in a thousand runs, on new images at that."""

WAY_OUT = "--accept-reference if that is expected"


def reference_doubts(
    facts: ModelFacts, images: Images, parity: Sequence[Parity], steps: Sequence[Step], *, accepted: bool
) -> tuple[Doubt, ...]:
    """What speaks against the reference: how it was made, and labels. `steps` are those of its sidecar."""
    measured = next((row for row in parity if row.reference_top1 is not None), None)
    if measured is None or measured.reference_top1 is None:
        return _not_loaded(facts, accepted)
    right = round(measured.reference_top1 * measured.n)
    return doubts_of(facts, images, right, measured.n, steps, accepted=accepted)


def doubts_of(
    facts: ModelFacts, images: Images, right: int | None, n: int, steps: Sequence[Step], *, accepted: bool
) -> tuple[Doubt, ...]:
    """The same where the reference is right on `right` of `n` images; None: they have no labels."""
    loading = _not_loaded(facts, accepted)
    if right is None:
        return loading
    doubts = (
        _chance(facts, right, n, accepted),
        _claim(facts, images, right, n, steps[-1] if steps else None, accepted),
    )
    return (*loading, *(doubt for doubt in doubts if doubt is not None))


def _not_loaded(facts: ModelFacts, accepted: bool) -> tuple[Doubt, ...]:
    if not facts.not_loaded:
        return ()
    return (Doubt(kind="weights", sentence=f"{facts.not_loaded}, or pass {WAY_OUT}", accepted=accepted),)


def _chance(facts: ModelFacts, right: int, n: int, accepted: bool) -> Doubt | None:
    if facts.head.kind not in ("classes", "binary"):
        return None  # of labels and neighbours, the verdict tells it
    if wilson(right, n)[0] > 1 / max(2, facts.classes):
        return None
    return Doubt(
        kind="chance",
        sentence=f"the reference itself is right on {right:,} of {n:,} images, no more than by chance: check "
        f"the labels and --preprocess, or pass {WAY_OUT}",
        accepted=accepted,
    )


def _claim(
    facts: ModelFacts, images: Images, right: int, n: int, last: Step | None, accepted: bool
) -> Doubt | None:
    """Against what the last step measured on the same images, or on others of the same data set."""
    if last is None or last.after.top1 is None or not _same_data(images, last):
        return None
    claimed, of = last.after.top1, last.after.n
    if claimed <= wilson(right, n, Z999)[1] or not _proved_lower(right, n, claimed, of):
        return None
    return Doubt(
        kind="claim",
        sentence=f"the reference is right on {100 * right / n:.1f} % of {n:,} images of {images.source}, and "
        f"{sidecar_path(Path(facts.source)).name} says {100 * claimed:.1f} % of {of:,}: it is "
        "read or fed otherwise than when that was measured; check --preprocess and the data, or pass "
        f"{WAY_OUT}",
        accepted=accepted,
    )


def _proved_lower(right: int, n: int, claimed: float, of: int) -> bool:
    """Whether the claim, which is of some images only, is higher beyond chance too: the lower end of the
    interval of the difference (R. G. Newcombe, Statistics in Medicine 17 (1998) 873, method 10)."""
    if of < 1:
        return True
    low, high = wilson(claimed * of, of, Z999)[0], wilson(right, n, Z999)[1]
    return claimed - right / n > math.hypot(claimed - low, high - right / n)


def _same_data(images: Images, last: Step) -> bool:
    """Whether the claim is of these images, or of others of the same data set."""
    if last.after.images_sha256 == images.sha256:
        return True
    known = last.details.get("data")
    source = known.get("source") if isinstance(known, dict) else None
    return isinstance(source, str) and _data_set(source) == _data_set(images.source)


def _data_set(source: str) -> str:
    """ "fashion-mnist" of "fashion-mnist (test)"."""
    return source.partition(" (")[0]
