"""What the parent asks of the workers that make a bundle, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.head import Head
from resnet_edge.core.image_contract import ImageContract
from resnet_edge.core.metadata import LabelFile
from resnet_edge.core.results.bundle import BundledFile, BundleFacts, ClassCount, Golden
from resnet_edge.core.results.outlook import FileOutlook
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class MadeFiles:
    """Every model file; `left` tells in sentences which artifact a profile does not take, and why."""

    files: tuple[MadeFile, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WriteFiles(Task[MadeFiles], runs="resnet_edge.bundle.files:make", writes=("folder",)):
    """bundle.files: the model files of a bundle, from `artifacts`, into `folder`.

    `profiles` by their file names; `schemes` as well, None for all that a profile takes. `translations` are
    the labels in other languages. The texts go into the files' metadata. `unproved` says of an artifact
    why it is not proved; it goes into the bundle only where `allow_unproved`. `wherever_possible`: a profile
    that takes nothing is told, and no error.
    """

    folder: str
    artifacts: tuple[Artifact, ...]
    profiles: tuple[str, ...]
    schemes: tuple[str, ...] | None
    name: str
    image: ImageContract
    head: Head
    labels: tuple[str, ...]
    translations: tuple[LabelFile, ...]
    description: str
    version: str
    license: str
    unproved: dict[str, str]
    allow_unproved: bool
    wherever_possible: bool


@dataclass(frozen=True)
class MadeFile:
    """A model file, and the runtimes and delegates that it is for."""

    file: BundledFile
    backends: tuple[str, ...]
    delegates: tuple[str, ...]


@dataclass(frozen=True)
class Outlooks:
    """One for each file and delegate, in their order."""

    outlooks: tuple[FileOutlook, ...]


@dataclass(frozen=True, kw_only=True)
class ForetellDelegates(Task[Outlooks], runs="resnet_edge.bundle.outlooks:ask", reads=("folder",)):
    """bundle.outlooks: what `delegates` take of `files` in `folder`."""

    folder: str
    files: tuple[MadeFile, ...]


@dataclass(frozen=True, kw_only=True)
class ExpectScores(
    Task[WrittenFile], runs="resnet_edge.bundle.scores:expected", reads=("anchor",), writes=("out",)
):
    """bundle.scores: what a bundled file must give: `anchor` .npy (N, classes), the outputs of its
    artifact, which are those of `head`, as the file's own head `wanted` has them; to `out`."""

    anchor: str
    head: Head
    wanted: Head
    out: str


@dataclass(frozen=True)
class Picked:
    """The rows of the golden images, and the names of their files."""

    rows: tuple[int, ...]
    files: tuple[str, ...]
    labels: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class PickGoldenImages(
    Task[Picked],
    runs="resnet_edge.bundle.scores:pick",
    reads=(
        "images",
        "labels",
        "anchor",
    ),
    writes=("folder",),
):
    """bundle.scores: `count` golden images out of `images` .npy (N, H, W, C), with `labels` .npy or
    None, whose answer by `anchor` .npy (N, classes) is right and not a close thing; as PNG to `folder`."""

    images: str
    labels: str | None
    anchor: str
    head: Head
    count: int
    folder: str


@dataclass(frozen=True)
class ClassCounts:
    """One for each class, in the order of the outputs."""

    counts: tuple[ClassCount, ...]


@dataclass(frozen=True, kw_only=True)
class CountClasses(
    Task[ClassCounts],
    runs="resnet_edge.bundle.scores:classes",
    reads=(
        "anchor",
        "labels",
    ),
):
    """bundle.scores: how often `anchor` .npy (N, classes) is right by `labels` .npy (N,), by class."""

    anchor: str
    head: Head
    labels: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WriteSamples(Task[WrittenFile], runs="resnet_edge.bundle.samples_written:write", writes=("folder",)):
    """bundle.samples_written: code for a bundle, into `folder`."""

    facts: BundleFacts
    folder: str


@dataclass(frozen=True, kw_only=True)
class WidenImages(
    Task[WrittenFile], runs="resnet_edge.bundle.scores:widen", reads=("images",), writes=("out",)
):
    """bundle.scores: grey images .npy (N, H, W, 1) as (N, H, W, 3), to `out`."""

    images: str
    out: str


@dataclass(frozen=True, kw_only=True)
class ScoresApart:
    """Counts as in core.results.bundle.RuntimeProof."""

    n: int
    same_top1: int
    golden_same_top1: int
    values: int
    identical: int
    max_abs: float


@dataclass(frozen=True, kw_only=True)
class CompareScores(
    Task[ScoresApart],
    runs="resnet_edge.bundle.scores:apart",
    reads=(
        "expected",
        "actual",
        "counterpart",
    ),
):
    """bundle.scores: how far `actual` .npy is from `expected` .npy, on all images and on `rows`, and
    how much of it is what the `counterpart` .npy has."""

    expected: str
    actual: str
    counterpart: str
    head: Head
    rows: tuple[int, ...]


@dataclass(frozen=True)
class GoldenWritten:
    """The golden vectors, and in sentences which runtimes are farther from them than is usual."""

    golden: Golden
    beyond: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WriteGoldenVectors(
    Task[GoldenWritten],
    runs="resnet_edge.bundle.scores:golden",
    reads=(
        "images",
        "anchors",
        "expected",
    ),
    writes=("folder",),
):
    """bundle.scores: the golden vectors. Of each file the outputs of its artifact, whose head is `head`
    (`anchors` .npy), its `expected` .npy and the largest difference that was measured on a runtime, by
    runtime."""

    picked: Picked
    images: str
    folder: str
    files: tuple[BundledFile, ...]
    head: Head
    anchors: tuple[str, ...]
    expected: tuple[str, ...]
    measured: tuple[dict[str, float], ...]
