"""What the parent asks of the workers of `verify`, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.report import Failure
from resnet_edge.evaluation.job import Offer, Target
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class IdentifiedFiles:
    """`artifacts` in the order asked for; `targets` of each, `min_sqnr_db` of its scheme, and the files
    `beside` it that hold its weights (ONNX calls them external data). `copies` are what is run in their place
    (evaluation/private_copy.py), and `contents` hash what they compute (graph/content.py; empty
    where nobody asked). `failures`: what is no artifact to verify; `notes`: what is odd in those that are."""

    artifacts: tuple[Artifact, ...]
    targets: tuple[tuple[Target, ...], ...]
    min_sqnr_db: tuple[float | None, ...]
    beside: tuple[tuple[str, ...], ...]
    copies: tuple[str, ...]
    contents: tuple[str, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IdentifyFiles(
    Task[IdentifiedFiles], runs="resnet_edge.verification.files:look", reads=("paths",), writes=("folder",)
):
    """verification.files: what the files at `paths`, of `formats`, are, and where among `backends` they
    run. Each is copied into a folder of its own in `folder`, which is new. `contents`: whether what they
    compute is hashed, too. `offers`: of backends on other machines."""

    paths: tuple[str, ...]
    formats: tuple[str, ...]
    backends: tuple[str, ...]
    folder: str
    contents: bool = False
    offers: tuple[Offer, ...] = ()
