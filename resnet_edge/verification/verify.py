"""Runs in the parent. Artifacts, ours or another's, against a Keras model or against another artifact.

    reference ─► outputs ──────────────────────┐
    artifacts ─► shards of outputs, all cores ─┴─► verdicts ─► where they part, and why

The proofs and verdicts are those of `convert` (proofs.py, judging.py, compare.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from resnet_edge import __version__
from resnet_edge.calibrate.calibration_leak import on_new_images
from resnet_edge.conversion.notes import assumed_head, described, one_look_only, stopped, unlike_machines
from resnet_edge.core.errors import OutputError, ResnetEdgeError, UsageError
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.own_names import with_own_names
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.report import Failure
from resnet_edge.core.results.verification import Verification
from resnet_edge.core.sequential import SEED, Looks, at_once, planned
from resnet_edge.core.sidecar import Step, lineage_of
from resnet_edge.data.declared import check_data
from resnet_edge.data.images_task import Images, PrepareImages
from resnet_edge.diagnosis.attributions import Ends
from resnet_edge.diagnosis.diagnose import Diagnosis, Diagnostics, together
from resnet_edge.evaluation.cluster import Cluster, check_runtimes, facts_of, joined
from resnet_edge.evaluation.first_backend import FIRST_BACKEND, first_backends
from resnet_edge.evaluation.hosts import hosts_of, offers, same_machines, workers_of
from resnet_edge.evaluation.job import Offer
from resnet_edge.evaluation.output_store import OutputStore
from resnet_edge.evaluation.reference_doubts import reference_doubts
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.evaluation.verdict import Judgement, changed_answers, with_machines
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
from resnet_edge.verification.proofs import ArtifactProofs, ProvedArtifacts
from resnet_edge.verification.reference import Reference, ReferenceModel
from resnet_edge.verification.task import IdentifiedFiles, IdentifyFiles
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool, workers_and_threads
from resnet_edge.workers.process import keep_logs
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.side_by_side import how_many


def verify(request: VerifyRequest, scratch: Path, logs: Path, on_progress: OnProgress) -> Verification:
    """Run the job. What concerns one artifact only becomes a Failure; all else is raised, as a
    ResnetEdgeError."""
    env = {"TMPDIR": str(scratch), "OPENBLAS_NUM_THREADS": "1"}
    shape = check_data(request.data, request.calibration).get(request.data)
    if isinstance(request.reference, ModelRequest):
        request = replace(request, reference=replace(request.reference, data_shape=shape))
    if request.unpruned is not None:
        request = replace(request, unpruned=replace(request.unpruned, data_shape=shape))
    grant = Grant(writes=(str(scratch),))
    with (
        joined(request.cluster, logs, on_progress) as cluster,
        workers_and_threads(logs, 1 + how_many(), env, partial(keep_logs, logs), grant) as (workers, pool),
    ):
        formats = [file.format for file in request.files]
        check_runtimes(cluster, request.backends or first_backends(formats))
        elsewhere = offers(workers, request.backends, on_progress)
        run = _Run(request, scratch, workers, pool, on_progress, elsewhere, cluster)
        try:
            return run.run()
        finally:
            run.store.release()


class _Run:
    """The state of one run."""

    def __init__(
        self,
        request: VerifyRequest,
        scratch: Path,
        workers: WorkerPool,
        pool: ThreadPoolExecutor,
        on_progress: OnProgress,
        elsewhere: tuple[Offer, ...],
        cluster: Cluster | None,
    ) -> None:
        self.request, self.scratch, self.on_progress = request, scratch, on_progress
        self.elsewhere, self.cluster = elsewhere, cluster
        self.workers, self.pool = workers, pool
        self.versions = versions()
        there = {  # another machine may have come to a name
            one.target.backend: f"{one.version} on {one.machine.get('architecture')} {one.machine.get('cpu')}"
            for one in elsewhere
        }
        there |= {} if cluster is None else cluster.apart()
        self.store = OutputStore(self.versions | there, scratch / "outputs")
        self.failures: list[Failure] = []
        self.notes = [*same_machines(elsewhere)]
        self.proofs = ArtifactProofs(request, workers, pool, scratch, self.store, on_progress)

    def run(self) -> Verification:
        reference = ReferenceModel(
            self.request.reference,
            self.workers,
            self.scratch,
            self.on_progress,
            self.request.unpruned,
            self.request.head,
            self.store,
            self.cluster,
        )
        self.notes += [reference.note] if reference.note else []
        opening = self.pool.submit(reference.facts)  # TensorFlow is imported beside the look at the files
        identified = self._look()
        check_expected(identified.artifacts, self.request.expected)
        facts = opening.result()
        identified = fitting(identified, facts)
        self.failures += identified.failures
        self.notes += (*identified.notes, *transposed(identified, facts))
        if isinstance(self.request.reference, Path):
            check_other(identified, facts, reference.content, FIRST_BACKEND)
        self._check_feed(facts)
        self.notes += facts.read_as
        if self.request.takes_pixels and facts.preprocessing.takes_pixels:
            self.notes += clipped(identified.artifacts, facts.source)
        if self.request.unpruned is not None:
            reference.check_unpruned(self.request.unpruned, facts)
        images = self._images(facts)
        self.notes += assumed_head(facts, images)
        reference.keep(images)
        looks = self._looks(images)
        calibration = self._calibration(facts, images)
        proofs = self.proofs
        wanted = proofs.wanted(identified, images, facts, reference.min_sqnr_db)
        grant = backends_grant(one.target.backend for one in wanted)
        grant |= Grant(writes=tuple({str(one.folder) for one in wanted}))
        with Scheduler(
            *(self.workers, self.pool, self.scratch, self.on_progress, grant),
            workers_of(self.elsewhere),
            self.cluster,
        ) as scheduler:
            proved = proofs.proved(wanted, images, looks, reference, facts, scheduler)
        self.failures += proofs.failures
        self.notes += proofs.notes
        if reference.witness is not None and reference.witness.note:
            self.notes.append(reference.witness.note)
        judged = sorted(proved.judged, key=lambda one: identified.copies.index(one.proof.artifact.path))
        diagnosis = self._diagnose(judged, proved.images, proved.expected, reference)
        judged = [*diagnosis.judged]
        lint = None
        if calibration is not None:
            calibration = replace(calibration, proof=proved.seen)
            lint = calibration.linted(self.workers, partial(reference.portable, bare=False), self.on_progress)
            judged = on_new_images(judged, lint, self.request.max_drop_pp, looks.z)
        if self.request.golden is not None:
            # What is saved is run again, and that is here.
            here = [one for one in judged if not one.proof.target.host]
            pixels = [one for one in here if self.proofs.prepared[one.proof.artifact.path] is None]
            self.notes += ungolden([one.parity.artifact for one in here if one not in pixels])
            self._save_golden(self.request.golden, pixels, proved.images, proved.expected)
        judged = with_machines(self.cluster, judged)
        changes = self._changes(facts, proved, judged)
        check_unchanged(identified)
        self.store.clear()
        return replace(
            self._document(identified, facts, images, judged, diagnosis, looks),
            changes=changes,
            calibration_lint=lint,
            witness=reference.witness,
            doubts=self._doubts(facts, images, judged),
        )

    def _changes(self, facts: ModelFacts, proved: ProvedArtifacts, judged: list[Judgement]) -> Changes | None:
        """No verdict depends on it."""
        worker = self.workers.worker("changed answers", self.on_progress)
        try:
            return changed_answers(
                worker,
                facts,
                proved.images,
                proved.expected.outputs,
                judged,
                thumbnails=self.request.thumbnails,
            )
        except OutputError:
            raise
        except ResnetEdgeError as error:
            self.notes.append(f"no table of the answers that changed: {error}")
            return None
        finally:
            worker.close()

    def _doubts(self, facts: ModelFacts, images: Images, judged: list[Judgement]) -> tuple[Doubt, ...]:
        """What speaks against the reference; an artifact has no history."""
        model = self.request.reference
        steps: tuple[Step, ...] = ()
        if isinstance(model, ModelRequest):
            steps = lineage_of(model.source, facts.sha256).steps
        rows = sorted((judgement.parity for judgement in judged), key=lambda row: -row.n)
        return reference_doubts(facts, images, rows, steps, accepted=self.request.accept_reference)

    def _check_feed(self, facts: ModelFacts) -> None:
        if not self.request.takes_pixels and facts.preprocessing.where == "model":
            raise UsageError(
                f"--feed preprocessed: {facts.source} has its preprocessing inside and takes pixels, as its "
                "artifacts do: leave it out"
            )

    def _calibration(self, facts: ModelFacts, images: Images) -> CalibrationImages | None:
        """Read at once, so that what is wrong with them is reported before all else is done."""
        if self.request.calibration is None:
            return None
        folder = self.scratch / "calibration"
        return CalibrationImages.read(
            self.request.calibration, facts, images, folder, self.workers, self.on_progress
        )

    def _look(self) -> IdentifiedFiles:
        files = self.request.files
        request = IdentifyFiles(
            paths=tuple(str(file.path) for file in files),
            formats=tuple(file.format for file in files),
            backends=self.request.backends,
            folder=str(self.scratch / "artifacts"),
            contents=isinstance(self.request.reference, Path),
            offers=self.elsewhere,
        )
        worker = self.workers.worker("files", self.on_progress, backends_grant(self.request.backends))
        try:
            return worker.run(request)
        finally:
            worker.close()

    def _images(self, facts: ModelFacts) -> Images:
        reader = self.workers.worker("images", self.on_progress)
        folder = self.scratch / "images"
        folder.mkdir()
        request = PrepareImages(
            data=self.request.data,
            shape=facts.input_shape,
            classes=facts.classes,
            kind=facts.head.kind,
            preprocessing=facts.preprocessing,
            folder=str(folder),
            limit=self.request.limit,
            hold_out=self.request.hold_out,
            seed=SEED if self.request.sequential else None,
        )
        try:
            return reader.run(request).evaluation
        finally:
            reader.close()

    def _looks(self, images: Images) -> Looks:
        """How often the artifacts are judged, and after how many images."""
        if not self.request.sequential:
            return at_once(images.n)
        limit_pp = self.request.max_drop_pp
        looks = planned(images.n, limit_pp / 100)
        if len(looks.at) == 1:
            self.notes.append(one_look_only(images.n, limit_pp))
        return looks

    def _diagnose(
        self, judged: list[Judgement], images: Images, expected: Reference, reference: ReferenceModel
    ) -> Diagnosis:
        """Artifacts that are fed alike are asked together."""
        unpruned = None
        if self.request.unpruned is not None and isinstance(self.request.reference, ModelRequest):
            unpruned = reference.unpruned(self.request.unpruned, images)
        groups: dict[Preprocessing | None, list[Judgement]] = {}
        for one in judged:
            groups.setdefault(self.proofs.prepared[one.proof.artifact.path], []).append(one)
        diagnoses = [
            self._diagnose_group(group, how, images, expected, reference, unpruned)
            for how, group in groups.items()
        ]
        diagnosis = together(diagnoses)
        targets = {_row(one): target for target, one in enumerate(judged)}
        diagnosis = replace(
            diagnosis, judged=tuple(sorted(diagnosis.judged, key=lambda one: targets[_row(one)]))
        )
        self.notes += map(self.proofs.spelled, diagnosis.notes)
        self.failures += (Failure(f.what, self.proofs.spelled(f.message)) for f in diagnosis.failures)
        return diagnosis

    def _diagnose_group(
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
        diagnosis = diagnostics.diagnose(judged, portable if request.explain and not apart else None, ends)
        if how is None and facts.preprocessing.where == "graph":
            self.notes += unfed(diagnosis.explanations, facts.source)
        return diagnosis

    def _save_golden(self, out: Path, judged: list[Judgement], images: Images, expected: Reference) -> None:
        """What keeps them from being written is reported beside the verdicts."""
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
        identified: IdentifiedFiles,
        facts: ModelFacts,
        images: Images,
        judged: list[Judgement],
        diagnosis: Diagnosis,
        looks: Looks,
    ) -> Verification:
        kind = "artifact" if isinstance(self.request.reference, Path) else "keras"
        rows = [judgement.parity for judgement in judged]
        reference: dict[str, Any] = {
            "name": facts.name,
            "source": facts.source,
            "sha256": facts.sha256,
            "kind": kind,
            "classes": facts.classes,
            "output": (self.proofs.head or facts.head).output,
            "rule": (self.proofs.head or facts.head).rule,
        }
        verification = Verification(
            resnet_edge=__version__,
            versions=self.versions,
            machine={
                **machine(),
                "command": self.request.command,
                **hosts_of(self.elsewhere),
                **facts_of(self.cluster),
            },
            reference=reference,
            data=described(images),
            max_drop_pp=self.request.max_drop_pp,
            artifacts=identified.artifacts,
            parity=tuple(rows),
            explanations=diagnosis.explanations,
            executions=diagnosis.integers.executions,
            int8_risks=diagnosis.integers.risks,
            attributions=diagnosis.attributions,
            failures=tuple(self.failures),
            notes=(
                *stopped(rows, looks),
                *unlike_machines(rows),
                *self.proofs.notes,
                *self.notes,
            ),
            costs=self.workers.costs(),
            sequential=looks if self.request.sequential else None,
            class_names=images.class_names or facts.class_names,
        )
        return with_own_names(verification, facts.own_names)


def _row(judged: Judgement) -> tuple[str, str, str]:
    return judged.proof.artifact.path, judged.parity.backend, judged.parity.device
