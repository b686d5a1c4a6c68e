"""What `package` puts into a bundle: model files, golden vectors and what they were proved on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from resnet_edge.core.arena import Arena
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.head import Head, HeadKind, Output
from resnet_edge.core.image_contract import ImageContract
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.outlook import FileOutlook
from resnet_edge.core.results.report import Failure

Scores = Output


@dataclass(frozen=True, kw_only=True)
class BundledFile:
    """A model file of the bundle.

    `path` is relative to the bundle, with forward slashes. `source` is the artifact of `convert` that it is
    made from and `source_sha256` its hash; `changes` tells, in sentences, what is different (nothing: the
    bytes are the same). `input` is (1, H, W, C), `output` (1, classes); `scores` is what comes out, and
    `kind` what it stands for (core/head.py). One score is of the second of two classes, and that is the
    answer above `threshold`; of several labels, each is given above its own of `thresholds`."""

    path: str
    profile: str
    format: str
    scheme: str
    size_bytes: int
    sha256: str
    input: TensorSpec
    output: TensorSpec
    scores: Scores
    source: str
    source_sha256: str
    changes: tuple[str, ...] = ()
    threshold: float | None = None
    kind: HeadKind = "classes"
    thresholds: tuple[float, ...] = ()

    @property
    def head(self) -> Head:
        """How its scores become answers."""
        if self.kind == "multilabel":
            return Head.multilabel(self.output.shape[-1] or 0, self.scores, self.thresholds)
        if self.kind == "embedding":
            return Head.embedding(self.output.shape[-1] or 0)
        if self.threshold is not None:
            return Head.binary(self.scores, self.threshold)
        return Head.of_classes(self.output.shape[-1] or 0, self.scores)


@dataclass(frozen=True)
class RuntimeTolerance:
    """How far a score may be from the expected one on a runtime; `reason` is the measurement behind it."""

    runtime: str
    max_abs: float
    reason: str


@dataclass(frozen=True)
class GoldenImage:
    """A real image of the bundle: a PNG of the size that the model takes, at `path` in the bundle.
    `label` is the index of its true class, None where it is not known."""

    path: str
    sha256: str
    label: int | None


@dataclass(frozen=True, kw_only=True)
class GoldenScores:
    """What one model file must give for the golden images, in their order.

    `inputs_sha256`: of the bytes of the input tensor, as the file stores it (NHWC, little-endian), for each
    image: an app whose tensor has another hash prepares the image wrongly. `scores`: the path of a file
    of the scores, dequantized: float32, little-endian, (images, classes). Model files that must give the same
    share it. `tolerances`: by runtime; the entry `default` is for any other.
    """

    file: str
    inputs_sha256: tuple[str, ...]
    scores: str
    scores_sha256: str
    tolerances: tuple[RuntimeTolerance, ...]


@dataclass(frozen=True)
class Golden:
    """The golden vectors of a bundle (golden/golden.json)."""

    images: tuple[GoldenImage, ...]
    files: tuple[GoldenScores, ...]


@dataclass(frozen=True, kw_only=True)
class BundleFacts:
    """What documents and sample code of a bundle are made from. `name` is a file stem, `title` for
    people; `labels` are the class names in the order of the outputs."""

    name: str
    title: str
    labels: tuple[str, ...]
    image: ImageContract
    files: tuple[BundledFile, ...]
    golden: Golden


Status = Literal["agrees", "differs", "does not open", "not installed", "not run"]


@dataclass(frozen=True, kw_only=True)
class RuntimeProof:
    """What a bundled file gives in one runtime, against the artifact that it is made from. `backend` is what
    `package --backends` takes: `litert:gpu@pi4` on another machine, which may be gone (`not run`).

    Of `n` images, `same_top1` have the same answer; `max_abs` is the largest difference of a score.
    `identical` says how many of `values` scores are, to the last bit, those of this very file on the
    backend `counterpart`. `labels` tells whether the runtime shows the right text of every label (None: it
    shows none). `reason` is a sentence where it does not agree.
    """

    file: str
    backend: str
    status: Status
    reason: str = ""
    device: str = ""
    n: int = 0
    same_top1: int = 0
    golden: int = 0
    golden_same_top1: int = 0
    counterpart: str = ""
    values: int = 0
    identical: int = 0
    max_abs: float | None = None
    labels: bool | None = None


@dataclass(frozen=True)
class ClassCount:
    """Of `n` images of a class, `right` get the right answer."""

    label: str
    n: int
    right: int


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle: what it holds, what was proved of it, and sentences that belong beside that.

    `arenas` are of the files that ran in TFLite Micro, by path; `left` says which artifacts no profile
    took, and why; `unproved` what `convert` did not prove of the artifacts that are in it. `classes` counts
    the answers of the artifact behind the first file, class by class, on the images of the proof; empty
    where these have no labels. `outlooks` tell what delegates and accelerators would take;
    none of them was run. `images` tells how those of its proof stand to those of the proof of
    `convert`, and `notes` are sentences on what it was made from. `oldest` are pinned runtimes by
    file, the oldest of each kind on which it was run and was right; empty where none was.

    `hosts` tells what each other machine of `--backends` is (core.machine.machine, and its `runtimes` by
    version), `latency` how long the files take there, and `failures` what could not be done there.
    """

    facts: BundleFacts
    proofs: tuple[RuntimeProof, ...]
    arenas: dict[str, Arena]
    left: tuple[str, ...]
    unproved: tuple[str, ...]
    classes: tuple[ClassCount, ...] = ()
    outlooks: tuple[FileOutlook, ...] = ()
    images: str = ""
    notes: tuple[str, ...] = ()
    oldest: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    latency: tuple[Latency, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def failed(self) -> tuple[RuntimeProof, ...]:
        """Where a runtime gives other answers than the artifact."""
        return tuple(proof for proof in self.proofs if proof.status == "differs")
