"""Runs in the parent. Which artifacts' gaps are split into causes, beside other work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.affordable import images_within
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.tolerances import Tolerance
from resnet_edge.data.images_task import Images
from resnet_edge.diagnosis.attribution_task import AttributeGap, FeedImages
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, silent, tracked

IMAGES = 500
"""Where nobody says: a step that changes no answer is then known to lose at most 0.8 percentage points."""
MACS = 1.5e11
"""Multiply-accumulates of each file, which take 15 s: 36 images of a ResNet-50."""
FEWEST = 32


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What every chain begins with: the model's outputs (.npy), those of the model before pruning (None: it
    is not known), the float graph, multiply-accumulates of an image (None: not counted), and how to run the
    model on other pixels (None: it cannot be)."""

    reference: str
    unpruned: str | None
    portable: Callable[[], str]
    macs: int | None
    rerun: Callable[[str, str], str] | None


@dataclass(frozen=True)
class Causes:
    """What was found; `notes` say what could not be."""

    attributions: tuple[Attribution, ...]
    notes: tuple[str, ...]

    def beside(self, judged: Judgement) -> Judgement:
        """The same, failed where kernels are off by more than they may."""
        attribution = judged.among(self.attributions)
        return (
            judged if attribution is None or attribution.kernels.within else judged.failed(_off(attribution))
        )


def _off(attribution: Attribution) -> str:
    limit = attribution.kernels.tolerance
    off, allowed = (
        _amount(value, limit) for value in (attribution.kernels.measured, attribution.kernels.allowed)
    )
    return (
        f"{attribution.backend} {attribution.device} gives outputs that are {off} off what the file says "
        f"operation by operation, and {limit.name} may be {allowed} off: its kernels are at "
        "fault, not the file"
    )


def _amount(value: float, of: Tolerance) -> str:
    return f"{value:.1f} steps" if of.unit == "steps" else f"{100 * value:.2g} %"


class Attributor:
    """Begun by `start`, waited for by `causes`. `images` are those of the proofs, of which `n` are used;
    files go to `scratch`."""

    def __init__(
        self,
        workers: WorkerPool,
        pool: Executor,
        images: Images,
        preprocessing: Preprocessing | None,
        head: Head,
        scratch: Path,
        n: int,
        on_progress: OnProgress,
    ) -> None:
        self._workers, self._pool, self._on_progress, self._n = workers, pool, on_progress, n
        self._images, self._preprocessing, self._head, self._scratch = images, preprocessing, head, scratch
        self._begun: Future[Causes] | None = None

    def start(self, judged: Sequence[Judgement], ends: Ends) -> None:
        """Begin with what was judged, could be compared, and may lose something: outputs that are the model's
        but for rounding lose nothing at any step, but for pruning."""
        able = [one for one in judged if one.proof.artifact.inputs and one.parity.agreement is not None]
        if ends.unpruned is None:
            able = [one for one in able if not one.by_rounding]
        if able and self._n:
            self._begun = self._pool.submit(self._causes, able, ends)

    def causes(self) -> Causes:
        """Raises OutputError."""
        return self._begun.result() if self._begun is not None else Causes((), ())

    def _causes(self, judged: Sequence[Judgement], ends: Ends) -> Causes:
        worker = self._workers.worker("causes", silent)
        attributions, notes = [], []
        for each in tracked(judged, "causes of what is lost", len(judged), self._on_progress):
            try:
                attributions.append(self._one(worker, each, ends))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                notes.append(f"what {each.proof.what} loses is not split into causes: {error}")
        worker.close()
        return Causes(tuple(attributions), tuple(notes))

    def _one(self, worker: Worker, judged: Judgement, ends: Ends) -> Attribution:
        artifact, row = judged.proof.artifact, judged.parity
        n = min(self._n, images_within(MACS, ends.macs, FEWEST))
        entry, end = artifact.inputs[0], artifact.outputs[0]
        name = f"{artifact.sha256[:16]}.fed.npy"
        feed = FeedImages(
            images=self._images.images,
            n=n,
            input=entry,
            preprocessing=self._preprocessing,
            out=str(self._scratch / name),
        )
        seen = worker.run(feed)
        on_fed = None
        if seen.changed and ends.rerun is not None:
            on_fed = ends.rerun(seen.out, str(self._scratch / f"{artifact.sha256[:16]}.on_fed.npy"))
        request = AttributeGap(
            file=row.artifact,
            path=artifact.path,
            scheme=artifact.scheme,
            backend=row.backend,
            device=row.device,
            input=entry,
            output=end,
            head=self._head,
            portable=ends.portable(),
            images=self._images.images,
            labels=self._images.labels,
            reference=ends.reference,
            unpruned=ends.unpruned,
            outputs=judged.outputs,
            n=n,
            fed=seen.out if seen.changed else None,
            on_fed=on_fed,
            preprocessing=self._preprocessing,
            rounds=judged.proof.job.min_sqnr_db is None,
        )
        return worker.run(request).attribution
