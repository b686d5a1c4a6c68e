"""Runs in the parent. Every artifact at each of its places, on as many images as it takes to decide it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.head import Head
from resnet_edge.core.input_bytes import meant_by_bytes
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.report import Failure
from resnet_edge.core.sequential import Looks
from resnet_edge.data.images_task import Images, TakeFirstImages
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.output_store import OutputStore
from resnet_edge.evaluation.scheduler import Evaluation, Scheduler
from resnet_edge.evaluation.verdict import Comparator, Judgement
from resnet_edge.schemes import scheme_of
from resnet_edge.verification.options import VerifyRequest
from resnet_edge.verification.reference import Reference, ReferenceModel
from resnet_edge.verification.task import IdentifiedFiles
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class WantedProof:
    """An artifact, with what is `beside` it, to be run at a place; its outputs go to `folder`, and outlive
    the run there."""

    artifact: Artifact
    job: Job
    target: Target
    folder: Path
    preprocessing: Preprocessing | None
    beside: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProvedArtifacts:
    """What was judged, each on its last look. What is asked afterwards is asked of the `images` that all of
    them were run on, with the outputs `expected` for these; `seen` are all that any was run on."""

    judged: list[Judgement]
    images: Images
    expected: Reference
    seen: Images

    @classmethod
    def of(cls, rows: list[list[Judgement]], seen: list[tuple[Images, Reference]]) -> ProvedArtifacts:
        """From the looks at each artifact, and those at the reference."""
        common = min(map(len, rows), default=len(seen)) - 1
        judged = [replace(looks[-1], outputs=looks[common].outputs) for looks in rows]
        images, expected = seen[common]
        return cls(judged=judged, images=images, expected=expected, seen=seen[-1][0])


class ArtifactProofs:
    """The proofs of one run. Beside them come `failures` and `notes`, as which `head` outputs were compared,
    the files of the user by their copies (`named`), and what is done to pixels by copies (`prepared`)."""

    def __init__(
        self,
        request: VerifyRequest,
        workers: WorkerPool,
        pool: ThreadPoolExecutor,
        scratch: Path,
        store: OutputStore,
        on_progress: OnProgress,
    ) -> None:
        self.request, self.workers, self.pool = request, workers, pool
        self.scratch, self.store, self.on_progress = scratch, store, on_progress
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.head: Head | None = None
        self.named: dict[str, str] = {}
        self.prepared: dict[str, Preprocessing | None] = {}

    def wanted(
        self, identified: IdentifiedFiles, images: Images, facts: ModelFacts, coarsest: float | None
    ) -> list[WantedProof]:
        """The copy of every artifact at each of its places; the slow ones first. `coarsest`: the SQNR that is
        asked of the reference itself, None where none is."""
        wanted = []
        rows = list(
            zip(
                identified.artifacts,
                identified.copies,
                identified.targets,
                identified.min_sqnr_db,
                strict=True,
            )
        )
        rows.sort(key=lambda row: scheme_of(row[0].scheme).activations != "int16")
        for named, copy, targets, least in rows:
            artifact = replace(named, path=copy)
            self.named[copy] = named.path
            least = None if least is None or coarsest is None else min(least, coarsest)
            job = Job(
                format=artifact.format,
                scheme=artifact.scheme,
                suffix=Path(copy).suffix,
                needs_calibration=False,
                min_sqnr_db=least,
                targets=targets,
            )
            own = self.prepared[copy] = self._preprocessing(artifact, facts)
            prepared = facts.preprocessing if artifact.format == "keras" else own
            # The folder of a copy has nothing but it and its weights.
            files = Path(copy).parent.rglob("*") if artifact.format == "onnx" else ()
            beside = tuple(sorted(str(file) for file in files if file.is_file() and str(file) != copy))
            for target in targets:
                folder = self.store.folder(artifact, target, images, prepared)
                wanted.append(
                    WantedProof(
                        artifact=artifact,
                        job=job,
                        target=target,
                        folder=folder,
                        preprocessing=prepared,
                        beside=beside,
                    )
                )
        return wanted

    def _preprocessing(self, artifact: Artifact, facts: ModelFacts) -> Preprocessing | None:
        """What an artifact needs done to the pixels, where it does not take these."""
        if not self.request.takes_pixels:
            return facts.preprocessing if facts.preprocessing.where == "graph" else None
        if not facts.preprocessing.takes_pixels or not artifact.inputs:  # a Keras model tells none
            return None
        return meant_by_bytes(artifact.inputs[0], facts.preprocessing.channels)

    def proved(
        self,
        wanted: list[WantedProof],
        images: Images,
        looks: Looks,
        reference: ReferenceModel,
        facts: ModelFacts,
        scheduler: Scheduler,
    ) -> ProvedArtifacts:
        """Every artifact on as many images as it takes to decide it."""
        worker = self.workers.worker("verdicts", lambda _: None)
        folder = self.scratch / "looks"
        folder.mkdir()
        rows: dict[WantedProof, list[Judgement]] = {one: [] for one in wanted}
        seen: list[tuple[Images, Reference]] = []
        for number, n in enumerate(looks.at):
            some = images
            if n < images.n:
                request = TakeFirstImages(images=images, n=n, folder=str(folder))
                some = worker.run(request)
            outputs = self.pool.submit(reference.outputs, some)
            cuts = looks.at[:number]
            proofs = {
                one: scheduler.start(
                    *(one.artifact, one.job, one.target, some, one.folder, one.preprocessing, cuts),
                    beside=one.beside,
                )
                for one in wanted
            }
            seen.append((some, Reference(facts, outputs.result())))
            judge = Comparator(
                *(worker, facts, some, self.request.max_drop_pp, seen[-1][1].outputs),
                accept_reference=self.request.accept_reference,
                looks=len(looks.at),
                early=n < images.n,
            )
            judged = self._judged(proofs, judge)
            for one in proofs:
                rows[one] = [*rows[one], judged[one]] if one in judged else []
            wanted = [one for one, judgement in judged.items() if judgement.undecided]
            if not wanted:
                break
        worker.close()
        return ProvedArtifacts.of([judgement for judgement in rows.values() if judgement], seen)

    def _judged(
        self, proofs: dict[WantedProof, Evaluation], judge: Comparator
    ) -> dict[WantedProof, Judgement]:
        judgements = {}
        for wanted, proof in proofs.items():
            try:
                one = judge.aligned(proof, self.scratch)
                judgements[wanted] = replace(one, parity=replace(one.parity, artifact=self._name(proof)))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                message = self.spelled(str(error))
                self.failures.append(Failure(proof.what, message))
                self.on_progress(Progress(step=proof.what, note=f"{proof.what}: {message}", line=True))
        self.head = judge.head
        self.notes += [note for note in judge.notes if note not in self.notes]
        return judgements

    def _name(self, proof: Evaluation) -> str:
        """What the report calls its artifact: two may have one file name."""
        path = self.named[proof.artifact.path]
        return next(f.name for f in self.request.files if str(f.path) == path)

    def spelled(self, message: str) -> str:
        """With the names that people know in place of those of copies."""
        for copy, path in self.named.items():
            message = message.replace(copy, path)
        return message
