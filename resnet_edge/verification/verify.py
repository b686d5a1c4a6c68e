"""Runs in the parent. Artifacts, ours or another's, against a Keras model or against another artifact.

    reference ─► outputs ──────────────────────┐
    artifacts ─► shards of outputs, all cores ─┴─► verdicts ─► where they part, and why

The proofs and verdicts are those of `convert` (proofs.py, judging.py, compare.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from resnet_edge import __version__
from resnet_edge.calibrate.calibration_leak import on_new_images
from resnet_edge.conversion.notes import described, one_look_only, provable, stopped
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError, ResnetEdgeError, UsageError
from resnet_edge.core.head import Head
from resnet_edge.core.input_bytes import meant_by_bytes
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.own_names import with_own_names
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.report import Failure
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import SEED, Looks, at_once, planned
from resnet_edge.core.sidecar import Step, lineage_of
from resnet_edge.data.declared import check_data
from resnet_edge.data.images_task import Images, PrepareImages, TakeFirstImages
from resnet_edge.diagnosis.attributions import Ends
from resnet_edge.diagnosis.diagnose import Diagnosis, Diagnostics, together
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.job import Job, Target
from resnet_edge.evaluation.output_store import OutputStore
from resnet_edge.evaluation.reference_doubts import reference_doubts
from resnet_edge.evaluation.scheduler import Evaluation, Scheduler, how_many
from resnet_edge.evaluation.verdict import Comparator, Judgement
from resnet_edge.models import ModelRequest
from resnet_edge.verification.checks import (
    check_expected,
    check_other,
    check_unchanged,
    clipped,
    fitting,
    layers_apart,
    transposed,
    unfed,
    ungolden,
)
from resnet_edge.verification.golden_saving import save_golden
from resnet_edge.verification.lint import CalibrationImages
from resnet_edge.verification.options import VerifyRequest
from resnet_edge.verification.reference import Reference, ReferenceModel
from resnet_edge.verification.task import IdentifyFiles, Looked
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool, workers_and_threads
from resnet_edge.workers.process import keep_logs
from resnet_edge.workers.progress import OnProgress, Progress


def verify(request: VerifyRequest, scratch: Path, logs: Path, on_progress: OnProgress) -> Verification:
    """Run the job. What concerns one artifact only becomes a Failure; all else is raised, as a
    ResnetEdgeError."""
    env = {"TMPDIR": str(scratch), "OPENBLAS_NUM_THREADS": "1"}
    check_data(request.data, request.calibration)
    grant = Grant(writes=(str(scratch),))
    with workers_and_threads(logs, 1 + how_many(), env, partial(keep_logs, logs), grant) as (workers, pool):
        run = _Run(request, scratch, workers, pool, on_progress)
        try:
            return run.run()
        finally:
            run.store.release()


@dataclass(frozen=True, kw_only=True, eq=False)
class _WantedProof:
    """An artifact to be run at a place; its outputs go to `folder`, and outlive the run there."""

    artifact: Artifact
    job: Job
    target: Target
    folder: Path
    preprocessing: Preprocessing | None


@dataclass(frozen=True, kw_only=True)
class _Proved:
    """What was judged, each on its last look. What is asked afterwards is asked of the `images` that all of
    them were run on, with the outputs `expected` for these; `seen` are all that any was run on."""

    judged: list[Judgement]
    images: Images
    expected: Reference
    seen: Images

    @classmethod
    def of(cls, rows: list[list[Judgement]], seen: list[tuple[Images, Reference]]) -> _Proved:
        """From the looks at each artifact, and those at the reference."""
        common = min(map(len, rows), default=len(seen)) - 1
        judged = [replace(looks[-1], outputs=looks[common].outputs) for looks in rows]
        images, expected = seen[common]
        return cls(judged=judged, images=images, expected=expected, seen=seen[-1][0])


class _Run:
    """The state of one run."""

    def __init__(
        self,
        request: VerifyRequest,
        scratch: Path,
        workers: WorkerPool,
        pool: ThreadPoolExecutor,
        on_progress: OnProgress,
    ) -> None:
        self.request, self.scratch, self.on_progress = request, scratch, on_progress
        self.workers, self.pool = workers, pool
        self.versions = versions()
        self.store = OutputStore(self.versions, scratch / "outputs")
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.head: Head | None = None  # as which outputs were compared
        self.named: dict[str, str] = {}  # the files of the user, by their copies
        self.prepared: dict[str, Preprocessing | None] = {}  # what is done to pixels, by copies

    def run(self) -> Verification:
        reference = ReferenceModel(
            self.request.reference, self.workers, self.scratch, self.on_progress, self.request.unpruned
        )
        opening = self.pool.submit(reference.facts)  # TensorFlow is imported beside the look at the files
        looked = self._look()
        check_expected(looked.artifacts, self.request.expected)
        facts = opening.result()
        looked = fitting(looked, facts)
        self.failures += looked.failures
        self.notes += (*looked.notes, *transposed(looked, facts))
        if isinstance(self.request.reference, Path):
            check_other(looked, facts, reference.content, FIRST_BACKEND)
        self._check_feed(facts)
        self.notes += facts.read_as
        if self.request.takes_pixels and facts.preprocessing.takes_pixels:
            self.notes += clipped(looked.artifacts, facts.source)
        if self.request.unpruned is not None:
            reference.check_unpruned(self.request.unpruned, facts)
        images = self._images(facts)
        looks = self._looks(images)
        calibration = self._calibration(facts, images)
        wanted = self._wanted(looked, images, facts, reference.min_sqnr_db)
        grant = backends_grant(one.target.backend for one in wanted)
        grant |= Grant(writes=tuple({str(one.folder) for one in wanted}))
        scheduler = Scheduler(self.workers, self.pool, self.scratch, self.on_progress, grant)
        proved = self._proved(wanted, images, looks, reference, facts, scheduler)
        scheduler.close()
        if reference.witness is not None and reference.witness.note:
            self.notes.append(reference.witness.note)
        judged = sorted(proved.judged, key=lambda one: looked.copies.index(one.proof.artifact.path))
        answers = self._inquired(judged, proved.images, proved.expected, reference)
        judged = [*answers.judged]
        lint = None
        if calibration is not None:
            calibration = replace(calibration, proof=proved.seen)
            lint = calibration.linted(self.workers, partial(reference.portable, bare=False), self.on_progress)
            judged = on_new_images(judged, lint, self.request.max_drop_pp, looks.z)
        if self.request.golden is not None:
            pixels = [one for one in judged if self.prepared[one.proof.artifact.path] is None]
            self.notes += ungolden([one.parity.artifact for one in judged if one not in pixels])
            self._save_golden(self.request.golden, pixels, proved.images, proved.expected)
        check_unchanged(looked)
        self.store.clear()
        return replace(
            self._document(looked, facts, images, judged, answers, looks),
            calibration_lint=lint,
            witness=reference.witness,
            doubts=self._doubts(facts, images, judged),
        )

    def _doubts(self, facts: ModelFacts, images: Images, judged: list[Judgement]) -> tuple[Doubt, ...]:
        """What speaks against the reference; an artifact has no history."""
        model = self.request.reference
        steps: tuple[Step, ...] = ()
        if isinstance(model, ModelRequest):
            steps = lineage_of(model.source, facts.sha256).steps
        rows = sorted((found.parity for found in judged), key=lambda row: -row.n)
        return reference_doubts(facts, images, rows, steps, accepted=self.request.accept_reference)

    def _check_feed(self, facts: ModelFacts) -> None:
        if not self.request.takes_pixels and facts.preprocessing.where == "model":
            raise UsageError(
                f"--feed preprocessed: {facts.source} has its preprocessing inside and takes pixels, as its "
                "artifacts do: leave it out"
            )

    def _calibration(self, facts: ModelFacts, images: Images) -> CalibrationImages | None:
        """Read at once, so that what is wrong with them is told before all else is done."""
        if self.request.calibration is None:
            return None
        folder = self.scratch / "calibration"
        return CalibrationImages.read(
            self.request.calibration, facts, images, folder, self.workers, self.on_progress
        )

    def _look(self) -> Looked:
        files = self.request.files
        asked = IdentifyFiles(
            paths=tuple(str(file.path) for file in files),
            formats=tuple(file.format for file in files),
            backends=self.request.backends,
            folder=str(self.scratch / "artifacts"),
            contents=isinstance(self.request.reference, Path),
        )
        worker = self.workers.worker("files", self.on_progress, backends_grant(self.request.backends))
        try:
            return worker.run(asked)
        finally:
            worker.close()

    def _images(self, facts: ModelFacts) -> Images:
        reader = self.workers.worker("images", self.on_progress)
        folder = self.scratch / "images"
        folder.mkdir()
        asked = PrepareImages(
            data=self.request.data,
            shape=facts.input_shape,
            classes=facts.classes,
            preprocessing=facts.preprocessing,
            folder=str(folder),
            limit=self.request.limit,
            seed=SEED if self.request.sequential else None,
        )
        try:
            return reader.run(asked).evaluation
        finally:
            reader.close()

    def _wanted(
        self, looked: Looked, images: Images, facts: ModelFacts, coarsest: float | None
    ) -> list[_WantedProof]:
        """The copy of every artifact at each of its places; the slow ones first. `coarsest`: the SQNR that is
        asked of the reference itself, None where none is."""
        wanted = []
        rows = list(zip(looked.artifacts, looked.copies, looked.targets, looked.min_sqnr_db, strict=True))
        for named, copy, targets, least in sorted(rows, key=lambda row: row[0].scheme != "int16x8"):
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
            for target in targets:
                folder = self.store.folder(artifact, target, images, prepared)
                wanted.append(
                    _WantedProof(
                        artifact=artifact, job=job, target=target, folder=folder, preprocessing=prepared
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

    def _looks(self, images: Images) -> Looks:
        """How often the artifacts are judged, and after how many images."""
        if not self.request.sequential:
            return at_once(images.n)
        limit_pp = self.request.max_drop_pp
        looks = planned(images.n, limit_pp / 100)
        if len(looks.at) == 1:
            self.notes.append(one_look_only(images.n, limit_pp))
        return looks

    def _proved(
        self,
        wanted: list[_WantedProof],
        images: Images,
        looks: Looks,
        reference: ReferenceModel,
        facts: ModelFacts,
        scheduler: Scheduler,
    ) -> _Proved:
        """Every artifact on as many images as it takes to decide it."""
        worker = self.workers.worker("verdicts", lambda _: None)
        folder = self.scratch / "looks"
        folder.mkdir()
        rows: dict[_WantedProof, list[Judgement]] = {one: [] for one in wanted}
        seen: list[tuple[Images, Reference]] = []
        for number, n in enumerate(looks.at):
            some = images
            if n < images.n:
                asked = TakeFirstImages(images=images, n=n, folder=str(folder))
                some = worker.run(asked)
            outputs = self.pool.submit(reference.outputs, some)
            cuts = looks.at[:number]
            proofs = {
                one: scheduler.start(
                    one.artifact, one.job, one.target, some, one.folder, one.preprocessing, cuts
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
            wanted = [one for one, found in judged.items() if found.undecided]
            if not wanted:
                break
        worker.close()
        return _Proved.of([found for found in rows.values() if found], seen)

    def _judged(
        self, proofs: dict[_WantedProof, Evaluation], judge: Comparator
    ) -> dict[_WantedProof, Judgement]:
        found = {}
        for wanted, proof in proofs.items():
            try:
                one = judge.aligned(proof, self.scratch)
                found[wanted] = replace(one, parity=replace(one.parity, artifact=self._name(proof)))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                message = self._spelled(str(error))
                self.failures.append(Failure(proof.what, message))
                self.on_progress(Progress(step=proof.what, note=f"{proof.what}: {message}", line=True))
        self.head = judge.head
        self.notes += [note for note in judge.notes if note not in self.notes]
        return found

    def _name(self, proof: Evaluation) -> str:
        """What the report calls its artifact: two may have one file name."""
        path = self.named[proof.artifact.path]
        return next(f.name for f in self.request.files if str(f.path) == path)

    def _spelled(self, message: str) -> str:
        """With the names that people know in place of those of copies."""
        for copy, path in self.named.items():
            message = message.replace(copy, path)
        return message

    def _inquired(
        self, judged: list[Judgement], images: Images, expected: Reference, reference: ReferenceModel
    ) -> Diagnosis:
        """Artifacts that are fed alike are asked together."""
        unpruned = None
        if self.request.unpruned is not None and isinstance(self.request.reference, ModelRequest):
            unpruned = reference.unpruned(self.request.unpruned, images)
        groups: dict[Preprocessing | None, list[Judgement]] = {}
        for one in judged:
            groups.setdefault(self.prepared[one.proof.artifact.path], []).append(one)
        found = [
            self._asked(group, how, images, expected, reference, unpruned) for how, group in groups.items()
        ]
        answers = together(found)
        targets = {_row(one): target for target, one in enumerate(judged)}
        answers = replace(answers, judged=tuple(sorted(answers.judged, key=lambda one: targets[_row(one)])))
        self.notes += map(self._spelled, answers.notes)
        self.failures += (Failure(f.what, self._spelled(f.message)) for f in answers.failures)
        return answers

    def _asked(
        self,
        judged: list[Judgement],
        how: Preprocessing | None,
        images: Images,
        expected: Reference,
        reference: ReferenceModel,
        unpruned: str | None,
    ) -> Diagnosis:
        facts, request = expected.facts, self.request
        diagnostics = Diagnostics(
            workers=self.workers,
            pool=self.pool,
            images=images,
            head=facts.head,
            preprocessing=how,
            scratch=self.scratch,
            on_progress=self.on_progress,
            attributed=request.attributed,
        )
        portable = partial(reference.portable, bare=how is not None)
        apart = how is not None and facts.preprocessing.where != "graph"
        if apart:  # no graph of ours is without the preprocessing that the model has inside
            names = ", ".join(dict.fromkeys(one.parity.artifact for one in judged))
            self.notes.append(layers_apart(names, facts.source))
        ends = None
        if isinstance(request.reference, ModelRequest) and not apart:
            ends = Ends(
                reference=expected.outputs,
                unpruned=unpruned,
                portable=portable,
                macs=facts.macs,
                rerun=reference.rerun,
            )
        answers = diagnostics.answers(judged, portable if request.explain and not apart else None, ends)
        if how is None and facts.preprocessing.where == "graph":
            self.notes += unfed(answers.explanations, facts.source)
        return answers

    def _save_golden(self, out: Path, judged: list[Judgement], images: Images, expected: Reference) -> None:
        """What keeps them from being written is told beside the verdicts."""
        worker = self.workers.worker("golden", self.on_progress, backends_grant(self.request.backends))
        try:
            self.notes += save_golden(
                out, self.request.golden_count, judged, images, expected, worker, self.scratch
            )
        except ResnetEdgeError as error:
            self.failures.append(Failure("golden vectors", str(error)))
        finally:
            worker.close()

    def _document(
        self,
        looked: Looked,
        facts: ModelFacts,
        images: Images,
        judged: list[Judgement],
        answers: Diagnosis,
        looks: Looks,
    ) -> Verification:
        kind = "artifact" if isinstance(self.request.reference, Path) else "keras"
        rows = [found.parity for found in judged]
        told: dict[str, Any] = {
            "name": facts.name,
            "source": facts.source,
            "sha256": facts.sha256,
            "kind": kind,
            "classes": facts.classes,
            "output": (self.head or facts.head).output,
            "rule": (self.head or facts.head).rule,
        }
        found = Verification(
            resnet_edge=__version__,
            versions=self.versions,
            machine={**machine(), "command": self.request.command},
            reference=told,
            data=described(images),
            max_drop_pp=self.request.max_drop_pp,
            artifacts=looked.artifacts,
            parity=tuple(rows),
            explanations=answers.explanations,
            executions=answers.integers.executions,
            int8_risks=answers.integers.risks,
            attributions=answers.attributions,
            failures=tuple(self.failures),
            notes=(*provable(rows, self.request.max_drop_pp, looks.z), *stopped(rows, looks), *self.notes),
            costs=self.workers.costs(),
            sequential=looks if self.request.sequential else None,
        )
        return with_own_names(found, facts.own_names)


def _row(judged: Judgement) -> tuple[str, str, str]:
    return judged.proof.artifact.path, judged.parity.backend, judged.parity.device
