"""Runs in the parent. The main job: a Keras model to proven artifacts.

      source worker             artifact worker                   proof workers       latency worker
    model ─► portable graph ─┬─► float files ─► ranges ─► int8 files ─► outputs ─┐
                             └─► reference outputs ───────────────────────────┴─► verdicts ─► latency

What failed, or with --thorough every file, is then looked into (diagnosis/diagnose.py).
Nothing is visible under its final name before all of it is there (core/files/workspace.py).
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from resnet_edge import __version__
from resnet_edge.calibrate.calibration_leak import on_new_images
from resnet_edge.calibrate.learned_task import Placed, PlaceLearnedRanges
from resnet_edge.conversion.build import Build
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.evaluate import Verdicts
from resnet_edge.conversion.latency import timed
from resnet_edge.conversion.lint import Linting
from resnet_edge.conversion.notes import (
    assumed_head,
    choice,
    described,
    held_out,
    integer_weights_on_gpu,
    latency_is_local,
    scales_for_each,
    undiagnosed,
    unlike_machines,
)
from resnet_edge.conversion.plan_task import Plan
from resnet_edge.conversion.run_log import Inputs, RunLog
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.own_names import with_own_names
from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.core.results.label_names import LabelNames, label_names
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import Lineage, lineage_of
from resnet_edge.data.class_names import as_lines, check_count, chosen_names
from resnet_edge.data.declared import check_data
from resnet_edge.data.images_task import Images
from resnet_edge.data.needed_images import NeededImages
from resnet_edge.evaluation.cluster import Cluster, check_runtimes, facts_of, joined
from resnet_edge.evaluation.hosts import hosts_of, offers, same_machines, workers_of
from resnet_edge.evaluation.reference_shards import ReferenceShards, stays_here
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.evaluation.source_task import ExportModel, ReadLearnedRanges, ReadModelFacts
from resnet_edge.evaluation.verdict import with_machines
from resnet_edge.evaluation.witnessing import witnessed
from resnet_edge.models import grant_of
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Worker, WorkerPool, workers_and_threads
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.side_by_side import how_many


def convert(request: ConvertRequest, workspace: Workspace, on_progress: OnProgress) -> Report:
    """Run the job and write artifacts and labels into `workspace.folder`; return the report.

    What concerns one artifact only, or a worker that died, becomes a Failure in the report
    as long as anything can be made without it; all else is raised, as a ResnetEdgeError.
    """
    shapes = check_data(request.data, request.calibration)
    request = replace(request, model=replace(request.model, data_shape=shapes.get(request.data)))
    threads = 2 + how_many()  # two steps of the run itself beside the proofs
    # TensorFlow leaves files in TMPDIR when it is killed (tensorflow.python.autograph, generated code).
    # numpy multiplies small matrices here, beside runtimes with threads of their own: a second
    # thread of its makes both wait (calibration took four times as long, with other work running).
    env = {"TMPDIR": str(workspace.scratch), "OPENBLAS_NUM_THREADS": "1"}
    grant = Grant(writes=(str(workspace.folder), str(workspace.scratch)))
    with (
        joined(request.cluster, workspace.logs, on_progress) as cluster,
        workers_and_threads(workspace.logs, threads, env, workspace.check_space, grant) as (workers, pool),
    ):
        check_runtimes(cluster, request.plan.backends)
        elsewhere = offers(workers, request.plan.backends, on_progress)
        request = replace(request, plan=replace(request.plan, offers=elsewhere))
        run = _Run(request, workspace, workers, pool, on_progress, cluster)
        with run.scheduler:
            return run.run()


class _Run:
    """One run, from the first look at the model to the report."""

    def __init__(
        self,
        request: ConvertRequest,
        workspace: Workspace,
        workers: WorkerPool,
        pool: ThreadPoolExecutor,
        on_progress: OnProgress,
        cluster: Cluster | None,
    ) -> None:
        self.cluster = cluster
        self.request, self.workspace, self.on_progress = request, workspace, on_progress
        self.workers, self.pool = workers, pool
        self.source = workers.worker("source", on_progress, grant_of(request.model))
        self.maker = workers.worker("artifacts", on_progress, backends_grant(request.plan.backends))
        self.scheduler = Scheduler(
            *(workers, pool, workspace.scratch, on_progress, backends_grant(request.plan.backends)),
            workers_of(request.plan.offers),
            cluster,
        )
        self.run_log = RunLog(on_progress)
        self.witness: ReaderCheck | None = None
        self.labels: LabelNames | None = None
        self.class_names: tuple[str, ...] = ()

    def run(self) -> Report:
        inputs, lineage = self._inputs()
        self._write_labels(inputs.facts, inputs.images)
        reference = self.pool.submit(self._reference, inputs.images, inputs.facts)
        if self.cluster is None:  # which has cores and memory of its own
            self.scheduler.wait_for(reference)
        linting = Linting(inputs, self.workers, self.pool, self.run_log)
        build = Build(
            request=self.request,
            inputs=inputs,
            lineage=lineage,
            workspace=self.workspace,
            worker=self.maker,
            scheduler=self.scheduler,
            pool=self.pool,
            run_log=self.run_log,
            linting=linting,
            calibrator=self._calibrator(),
        )
        proofs = build.make()
        verdicts = Verdicts(
            request=self.request, inputs=inputs, workers=self.workers, build=build, run_log=self.run_log
        )
        judged = verdicts.judged(reference, proofs)
        kept = {(judgement.proof.job, judgement.proof.target): judgement.proof for judgement in judged}
        growth = verdicts.error_growth()
        lint = linting.lint()
        if self.request.calibration is not None:
            judged = on_new_images(judged, lint, self.request.max_drop_pp)
        judged = with_machines(self.cluster, judged)
        wait(build.packed.values())  # nothing else of ours runs while latency is measured
        last = [kept.get((proof.job, proof.target), proof) for proof in proofs]
        self.run_log.notes += latency_is_local(self.request.cluster, self.request.latency_seconds)
        latency = timed(self.request, inputs.images, last, self.workers, self.run_log)
        report = self._report(
            verdicts, lineage, tuple(judgement.parity for judgement in judged), latency, growth
        )
        return replace(report, calibration_lint=lint)

    def _both(self, first: Future[Any], second: Future[Any]) -> tuple[Any, Any]:
        """The results of two steps that run side by side; the first failure of either at once."""
        for step in wait((first, second), return_when=FIRST_EXCEPTION).done:
            step.result()
        return first.result(), second.result()

    def _inputs(self) -> tuple[Inputs, Lineage]:
        """What every artifact and proof starts from, and what was done to the model before."""
        facts, plan = self._both(
            self.pool.submit(self.source.run, ReadModelFacts(model=self.request.model)),
            self.pool.submit(self.maker.run, self.request.plan),
        )
        self.run_log.notes += [*facts.read_as, *plan.notes]
        lineage = self._read_lineage(facts)
        check_count(self.request.class_names, facts, "--labels")
        (images, calibration), portable = self._both(
            self.pool.submit(self._images, facts, plan), self.pool.submit(self._export)
        )
        learns = facts.learned_ranges and plan.needs_calibration
        learned = self._place_learned(images, portable) if learns else None
        return Inputs(
            facts=facts, plan=plan, portable=portable, images=images, calibration=calibration, learned=learned
        ), lineage

    def _read_lineage(self, facts: ModelFacts) -> Lineage:
        """What was done to the model before; not what was done to another of that name."""
        lineage = lineage_of(self.request.model.source, facts.sha256)
        if lineage.note is not None:
            self.run_log.notes.append(lineage.note)
        return lineage

    def _images(self, facts: ModelFacts, plan: Plan) -> tuple[Images, Images | None]:
        """The images to prove on, and those to calibrate with where a scheme needs them."""
        given = self.request.calibration
        reader = self.workers.worker("images", self.on_progress)
        needed = NeededImages(reader, facts, self.workspace).read(
            self.request.data, given, calibrates=plan.needs_calibration
        )
        if needed.held_out is not None and given is None:
            self.run_log.notes.append(held_out(needed.held_out))
        reader.close()
        return needed.evaluation, needed.held_out

    def _write_labels(self, facts: ModelFacts, images: Images) -> None:
        self.class_names = names = chosen_names(self.request.class_names, facts, images)
        self.run_log.notes += [] if names else assumed_head(facts, images)
        if facts.head.kind == "embedding":
            self.run_log.notes.append("an embedding has no classes: there is no labels.txt")
            return
        if not names:
            self.run_log.notes.append("nothing names the classes: labels.txt holds their numbers")
        lines = as_lines(names or tuple(map(str, range(facts.classes))))
        self.labels = label_names(lines.splitlines())
        self.workspace.write("labels.txt", lines)

    def _export(self) -> str:
        out = str(self.workspace.scratch / "float.tflite")
        request = ExportModel(model=self.request.model, out=out, dynamic_batch=self.request.dynamic_batch)
        return self.source.run(request).path

    def _place_learned(self, images: Images, portable: str) -> Placed:
        """The activation ranges that were learned with the model, by tensor of the portable graph."""
        learned, ranges = (str(self.workspace.scratch / name) for name in ("learned.npz", "learned.json"))
        request = ReadLearnedRanges(model=self.request.model, images=images.images, out=learned)
        self.source.run(request)
        placed = self.maker.run(PlaceLearnedRanges(portable=portable, learned=learned, out=ranges))
        self.run_log.notes.append(placed.sentence())
        return placed

    def _calibrator(self) -> Worker:
        """Who runs the calibration images: a machine of the cluster, or who makes the artifacts."""
        if self.cluster is None:
            return self.maker
        place = self.cluster.whole_machine
        return self.workers.worker("calibration on the cluster", self.on_progress, where=place)

    def _reference(self, images: Images, facts: ModelFacts) -> str:
        """What the model gives, once another loader has given the same."""
        out = str(self.workspace.scratch / "reference.npy")
        model = self.request.model
        try:
            self.witness = witnessed(self.source, model, images)
            if self.witness.note:
                self.run_log.note("witness", self.witness.note)
            if self.cluster is not None and (stays := stays_here(model)):
                self.run_log.note("cluster", stays)
            scratch, progress = self.workspace.scratch, self.on_progress
            shards = ReferenceShards(model, self.source, scratch, self.workers, progress, self.cluster)
            return shards.outputs(images, facts, out)
        finally:
            self.source.close()

    def _report(
        self,
        verdicts: Verdicts,
        lineage: Lineage,
        parity: tuple[Parity, ...],
        latency: tuple[Latency, ...],
        growth: tuple[ErrorGrowth, ...],
    ) -> Report:
        inputs, build, artifacts = verdicts.inputs, verdicts.build, self.run_log.artifacts
        facts, calibration = inputs.facts, inputs.calibration
        report = Report(
            resnet_edge=__version__,
            versions=versions(),
            machine={
                **machine(),
                "command": self.request.command,
                **hosts_of(self.request.plan.offers),
                **facts_of(self.cluster),
            },
            model=replace(facts, source=self.request.source_name or facts.source),
            data=described(inputs.images),
            calibration=None
            if calibration is None
            else described(calibration) | choice(build.calibrated, inputs.learned),
            max_drop_pp=self.request.max_drop_pp,
            artifacts=tuple(artifacts),
            parity=parity,
            latency=latency,
            costs=self.workers.costs(),
            failures=tuple(self.run_log.failures),
            notes=(
                *same_machines(self.request.plan.offers),
                *scales_for_each(self.request.plan.dense_scales),
                *self.run_log.notes,
                *unlike_machines(parity),
                *undiagnosed(artifacts, verdicts.diagnosed_files),
                *integer_weights_on_gpu(artifacts, parity),
            ),
            history=lineage.steps,
            gzip_bytes={file: size.result() for file, size in build.packed.items()},
            plan=verdicts.mixed_precision,
            error_growth=growth,
            explanations=verdicts.diagnosis.explanations,
            executions=verdicts.diagnosis.integers.executions,
            int8_risks=verdicts.diagnosis.integers.risks,
            attributions=verdicts.diagnosis.attributions,
            witness=self.witness,
            doubts=verdicts.doubts,
            labels=self.labels,
            class_names=self.class_names,
            dense_scales=self.request.plan.dense_scales,
            changes=verdicts.changes,
        )
        return with_own_names(report, facts.own_names)
