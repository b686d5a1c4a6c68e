"""Runs in the parent. The main job: a Keras model to proven artifacts.

      source worker             artifact worker               proof workers       latency worker
    model ─► portable graph ─┬─► ranges ─► quantized ─► files ─► outputs ─┐
                             └─► reference outputs ───────────────────────┴─► verdicts ─► latency

Nothing is visible under its final name before all of it is there (stages/workspace.py).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from resnet_edge import __version__
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.device import is_software
from resnet_edge.core.error_growth import ErrorGrowth
from resnet_edge.core.errors import OutputError, ResnetEdgeError, WorkerFailed
from resnet_edge.core.latency import Latency
from resnet_edge.core.machine import machine, usable_cores, versions
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.parity import Parity
from resnet_edge.core.progress import Progress, silent
from resnet_edge.core.progress import Report as Tell
from resnet_edge.core.report import Failure, Report
from resnet_edge.core.rescue import Rescue
from resnet_edge.core.sidecar import Story, story_of
from resnet_edge.models import ModelRequest
from resnet_edge.stages import calls
from resnet_edge.stages.class_names import as_lines, check_count, chosen_names
from resnet_edge.stages.crew import Crew, Member
from resnet_edge.stages.download_size import gzip_bytes
from resnet_edge.stages.error_growth_request import error_growth_requests
from resnet_edge.stages.judging import Judge, Judged
from resnet_edge.stages.learned_request import LearnedRequest, Placed, PlaceRequest
from resnet_edge.stages.needed_images import NeededImages
from resnet_edge.stages.notes import (
    choice,
    described,
    held_out,
    integer_sums,
    integer_weights_on_gpu,
    not_timed,
    poor_reference,
    rescued,
    same_numbers,
)
from resnet_edge.stages.proofs import Proof, Provers, how_many
from resnet_edge.stages.rescue import RescueSetup, missed, rescue
from resnet_edge.stages.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class ConvertRequest:
    """What the user asks for. `calibration` None: held out of `data`. `class_names` come
    before those of the model and the data. `rescue`: where int8 misses the budget, leave the layers
    in float that cost most. `command` is how it was asked for, and
    `source_name` what the report calls the model where the user did not name it."""

    model: ModelRequest
    data: str
    calibration: str | None
    plan: calls.PlanRequest
    max_drop_pp: float
    threads: int
    latency_seconds: float
    dynamic_batch: bool = False
    calibrator: calls.CalibratorName = "auto"
    repair: calls.RepairName = "auto"
    rescue: bool = True
    class_names: tuple[str, ...] = ()
    command: str = ""
    source_name: str | None = None


def convert(request: ConvertRequest, workspace: Workspace, tell: Tell) -> Report:
    """Run the job and write artifacts and labels into `workspace.folder`; return the report.

    What concerns one artifact only, or a worker that died, becomes a Failure in the report
    as long as anything can be made without it; all else is raised, as a ResnetEdgeError.
    """
    threads = 2 + how_many()  # two steps of the run itself beside the proofs
    # TensorFlow leaves files in TMPDIR when it is killed (tensorflow.python.autograph, generated code).
    # numpy multiplies small matrices here, beside runtimes with threads of their own: a second
    # thread of its makes both wait (calibration took four times as long, with other work running).
    env = {"TMPDIR": str(workspace.scratch), "OPENBLAS_NUM_THREADS": "1"}
    with Crew(workspace.logs, workspace.check_space, env) as crew, ThreadPoolExecutor(threads) as pool:
        try:
            return _Run(request, workspace, crew, pool, tell).run()
        except BaseException:
            # The pool waits for its threads, and they wait for their processes.
            pool.shutdown(wait=False, cancel_futures=True)
            crew.dismiss()
            raise


class _Run:
    """The state of one run: what was found so far."""

    def __init__(
        self, request: ConvertRequest, workspace: Workspace, crew: Crew, pool: ThreadPoolExecutor, tell: Tell
    ) -> None:
        self.request, self.workspace, self.crew, self.pool, self.tell = request, workspace, crew, pool, tell
        self.source, self.maker = crew.member("source", tell), crew.member("artifacts", tell)
        self.provers = Provers(crew, pool, workspace.scratch, tell)
        self.artifacts: list[Artifact] = []
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self.story = Story()
        self.packed: dict[str, Future[int]] = {}
        self.calibrated: calls.Calibration | None = None
        self.learned: Placed | None = None
        self.rescue: Rescue | None = None

    def run(self) -> Report:
        facts, plan = self._both(
            self.pool.submit(_ask, self.source, "source:facts", self.request.model, ModelFacts),
            self.pool.submit(_ask, self.maker, "plan:plan", self.request.plan, calls.Plan),
        )
        self.notes += plan.notes
        self._read_story(facts)
        check_count(self.request.class_names, facts, "--labels")
        (images, calibration), portable = self._both(
            self.pool.submit(self._images, facts, plan), self.pool.submit(self._export)
        )
        if facts.learned_ranges and plan.needs_calibration:
            self.learned = self._place_learned(images, portable)
        self._write_labels(facts, images)
        reference = self.pool.submit(self._reference, images)
        proofs = self._make(facts, plan, portable, images, calibration)
        judged = self._judged(facts, images, calibration, reference, proofs)
        kept = {(found.proof.job, found.proof.place): found.proof for found in judged}
        growth = self._error_growth(facts, images, portable)
        latency = self._timed(images, [kept.get((proof.job, proof.place), proof) for proof in proofs])
        return self._report(
            facts, images, calibration, tuple(found.parity for found in judged), latency, growth
        )

    def _both(self, first: Future[Any], second: Future[Any]) -> tuple[Any, Any]:
        """The results of two steps that run side by side; the first failure of either at once."""
        for step in wait((first, second), return_when=FIRST_EXCEPTION).done:
            step.result()
        return first.result(), second.result()

    def _attempt(
        self, what: str, step: Callable[[], T], survives: type[ResnetEdgeError] = ResnetEdgeError
    ) -> T | None:
        """Run a step that others can do without: its failure is noted, and the run goes on.

        Not on a full disk, nor where the error is not one that it `survives`.
        """
        try:
            return step()
        except OutputError:
            raise
        except survives as error:
            self.failures.append(Failure(what, str(error)))
            self.tell(Progress(what, note=f"{what}: {error}", line=True))
            return None

    # -- before the artifacts --------------------------------------------------------------

    def _read_story(self, facts: ModelFacts) -> None:
        """What was done to the model before; not what was done to another of that name."""
        self.story = story_of(self.request.model.source, facts.sha256)
        if self.story.note is not None:
            self.notes.append(self.story.note)

    def _images(self, facts: ModelFacts, plan: calls.Plan) -> tuple[calls.Images, calls.Images | None]:
        """The images to prove on, and those to calibrate with where a scheme needs them."""
        reader, given = self.crew.member("images", self.tell), self.request.calibration
        found = NeededImages(reader, facts, self.workspace).read(
            self.request.data, given, calibrates=plan.needs_calibration
        )
        if found.held_out is not None and given is None:
            self.notes.append(held_out(found.held_out))
        reader.dismiss()
        return found.evaluation, found.held_out

    def _write_labels(self, facts: ModelFacts, images: calls.Images) -> None:
        names = chosen_names(self.request.class_names, facts, images)
        if not names:
            self.notes.append("nothing names the classes: labels.txt holds their numbers")
        self.workspace.write("labels.txt", as_lines(names or tuple(map(str, range(facts.classes)))))

    def _export(self) -> str:
        out = str(self.workspace.scratch / "float.tflite")
        request = calls.ExportRequest(self.request.model, out, self.request.dynamic_batch)
        return _ask(self.source, "source:export", request, calls.Done).path

    def _place_learned(self, images: calls.Images, portable: str) -> Placed:
        """The activation ranges that were learned with the model, by tensor of the portable graph."""
        told, ranges = (str(self.workspace.scratch / name) for name in ("learned.npz", "learned.json"))
        asked = LearnedRequest(self.request.model, images.images, told)
        _ask(self.source, "source:learned", asked, calls.Done)
        placed = _ask(self.maker, "learned:place", PlaceRequest(portable, told, ranges), Placed)
        self.notes.append(placed.sentence())
        return placed

    def _reference(self, images: calls.Images) -> str:
        out = str(self.workspace.scratch / "reference.npy")
        request = calls.ReferenceRequest(self.request.model, images.images, out)
        try:
            return _ask(self.source, "source:reference", request, calls.Done).path
        finally:
            self.source.dismiss()

    # -- the artifacts ---------------------------------------------------------------------

    def _make(
        self,
        facts: ModelFacts,
        plan: calls.Plan,
        portable: str,
        images: calls.Images,
        calibration: calls.Images | None,
    ) -> list[Proof]:
        """Make every artifact, and start its proofs as soon as it is there; both in the plan's order."""
        self.calibrated = self._calibrate(facts, portable, calibration) if calibration is not None else None
        proofs: list[Proof] = []
        for scheme, jobs in plan.by_scheme().items():
            calibrated = self.calibrated if jobs[0].needs_calibration else None
            if jobs[0].needs_calibration and calibrated is None:
                continue  # that the calibration failed is noted
            request = calls.PortableRequest(
                calibrated.portable if calibrated is not None else portable,
                scheme,
                calibrated.ranges if calibrated is not None else None,
                facts.output,
                self.request.plan.io,
                str(self.workspace.scratch / f"{scheme}.tflite"),
            )
            made = self._attempt(scheme, _asking(self.maker, "artifacts:portable", request, calls.Done))
            self.notes += made.notes if made is not None else ()
            for job in jobs if made is not None else ():
                artifact = self._artifact(facts, request.out, job)
                if artifact is not None:
                    self.artifacts.append(artifact)
                    self._pack(artifact)
                    proofs += [self.provers.start(artifact, job, place, images) for place in job.places]
        self.maker.dismiss()
        order = [(job.format, job.scheme) for job in plan.jobs]
        self.artifacts.sort(key=lambda artifact: order.index((artifact.format, artifact.scheme)))
        return sorted(proofs, key=lambda proof: order.index((proof.job.format, proof.job.scheme)))

    def _calibrate(
        self, facts: ModelFacts, portable: str, calibration: calls.Images
    ) -> calls.Calibration | None:
        """The float graph that every scheme with integer activations starts from, and its ranges."""
        request = calls.CalibrateRequest(
            portable,
            calibration.images,
            facts.preprocessing.takes_pixels,
            facts.output,
            usable_cores(),
            str(self.workspace.scratch_folder("calibrated")),
            self.request.calibrator,
            self.request.repair,
            None if self.learned is None else self.learned.ranges,
        )
        step = _asking(self.maker, "calibration:calibrate", request, calls.Calibration)
        return self._attempt("calibration, and every artifact that needs it", step, WorkerFailed)

    def _artifact(self, facts: ModelFacts, portable: str, job: calls.Job) -> Artifact | None:
        out = self.workspace.folder / f"{facts.name}.{job.scheme}{job.suffix}"
        request = calls.ArtifactRequest(portable, job.format, job.scheme, facts.name, str(out))
        made = self._attempt(out.name, _asking(self.maker, "artifacts:artifact", request, Artifact))
        if made is None:
            out.unlink(missing_ok=True)
        return made

    def _pack(self, artifact: Artifact) -> None:
        """Find out what pruning to zeros is for, where the model was pruned or trained further."""
        if any(step.before is not None for step in self.story.steps):
            self.packed[artifact.file] = self.pool.submit(gzip_bytes, Path(artifact.path))

    # -- the proof -------------------------------------------------------------------------

    def _judged(
        self,
        facts: ModelFacts,
        images: calls.Images,
        calibration: calls.Images | None,
        reference: Future[str],
        proofs: list[Proof],
    ) -> list[Judged]:
        """Judge every proof that ran; where int8 misses the budget, what is better takes its place."""
        expected = self._attempt("the Keras model, and every proof", reference.result, WorkerFailed)
        if expected is None:
            for proof in proofs:
                self._attempt(proof.what, proof.outputs.result)
            return []
        member = self.crew.member("verdicts", silent)  # a tenth of a second each: not worth a line
        judge = Judge(member, facts, images, self.request.max_drop_pp, expected)
        judged = [
            found
            for proof in proofs
            if (found := self._attempt(proof.what, partial(judge.judged, proof))) is not None
        ]
        for note in poor_reference(facts, [found.parity for found in judged]):
            self._note("reference", note)
        if calibration is not None and self.calibrated is not None and self.request.rescue:
            judged = self._rescued(facts, images, calibration, judge, judged)
        self._same_numbers(facts, judge, judged)
        self.provers.dismiss()
        judge.dismiss()
        return judged

    def _rescued(
        self,
        facts: ModelFacts,
        images: calls.Images,
        calibration: calls.Images,
        judge: Judge,
        judged: list[Judged],
    ) -> list[Judged]:
        """What was judged, with int8 artifacts that meet the budget, or are better, in place of those
        that miss it."""
        # What is right on the processor and wrong elsewhere is no fault of int8: floats would hide it.
        plain = [f for f in judged if f.proof.job.rescuable and f.proof.place.device == "cpu"]
        if not missed(plain) or self.calibrated is None:
            return judged
        maker, io = self.crew.member("plan", self.tell), self.request.plan.io
        setup = RescueSetup(
            facts,
            io,
            self.calibrated,
            calibration,
            images,
            maker,
            self.provers,
            judge,
            self.workspace,
            self.tell,
        )
        try:
            found = rescue(plain, setup)
        except OutputError:
            raise
        except ResnetEdgeError as error:  # int8 stays as it is, with the verdict that it has
            self._note("plan", f"no plan for {plain[0].proof.job.scheme}: {error}")
            return judged
        finally:
            maker.dismiss()
        self.rescue = found.rescue
        self._note("plan", rescued(found.rescue))
        kept = {artifact.file: artifact for artifact in found.rescue.kept.artifacts}
        self.artifacts = [kept.get(artifact.file, artifact) for artifact in self.artifacts]
        for artifact in kept.values():
            self._pack(artifact)
        return found.in_place(judged)

    def _note(self, step: str, note: str) -> None:
        """A note of the report that is told at once too."""
        self.notes.append(note)
        self.tell(Progress(step, note=f"note: {note}", line=True))

    def _same_numbers(self, facts: ModelFacts, judge: Judge, judged: list[Judged]) -> None:
        """Say how far the int8 files of the two formats agree with each other."""
        cpu = [found for found in judged if found.proof.place.device == "cpu"]
        ran = {(found.proof.job.format, found.proof.job.scheme): found for found in reversed(cpu)}
        ours, theirs = ran.get(("tflite", "int8")), ran.get(("onnx", "int8"))
        if ours is None or theirs is None:
            return
        found = self._attempt("agreement", partial(judge.agreement, ours, theirs))
        if found is not None:
            artifacts = ours.proof.artifact, theirs.proof.artifact
            self.notes.append(same_numbers(*artifacts, facts.output, found))

    def _error_growth(
        self, facts: ModelFacts, images: calls.Images, portable: str
    ) -> tuple[ErrorGrowth, ...]:
        """How errors grow from layer to layer; nothing else depends on it."""
        requests = error_growth_requests(self.artifacts, portable, self.calibrated, images, facts.macs)
        if not requests:
            return ()
        member, found = self.crew.member("error growth", self.tell), []
        for request in requests:
            try:
                found.append(_ask(member, "error_growth:error_growth", request, ErrorGrowth))
            except OutputError:
                raise
            except ResnetEdgeError as error:
                self._note("error growth", f"{request.file}: no errors of its layers: {error}")
        member.dismiss()
        return tuple(found)

    def _timed(self, images: calls.Images, proofs: list[Proof]) -> tuple[Latency, ...]:
        """Measure latency; nothing else of ours runs by now."""
        wait(self.packed.values())
        if not self.request.latency_seconds:
            return ()
        ran = [proof for proof in proofs if proof.outputs.exception() is None]
        self.notes += not_timed((p.place.backend, p.outputs.result().device) for p in ran)
        targets = tuple(
            calls.LatencyTarget(
                p.artifact.path, p.artifact.file, p.job.format, p.job.scheme, p.place.backend, p.place.device
            )
            for p in ran
            if not is_software(p.outputs.result().device)
        )
        if not targets:
            return ()
        seconds = self.request.latency_seconds
        request = calls.LatencyRequest(targets, images.images, self.request.threads, None, seconds)
        clock = self.crew.member("latency", self.tell)
        timed = self._attempt("latency", _asking(clock, "latency:measure", request, calls.LatencyResult))
        clock.dismiss()
        if timed is None:
            return ()
        self.failures += timed.failures
        return timed.latencies

    def _report(
        self,
        facts: ModelFacts,
        images: calls.Images,
        calibration: calls.Images | None,
        parity: tuple[Parity, ...],
        latency: tuple[Latency, ...],
        growth: tuple[ErrorGrowth, ...],
    ) -> Report:
        return Report(
            resnet_edge=__version__,
            versions=versions(),
            machine={**machine(), "command": self.request.command},
            model=replace(facts, source=self.request.source_name or facts.source),
            data=described(images),
            calibration=None
            if calibration is None
            else described(calibration) | choice(self.calibrated, self.learned),
            max_drop_pp=self.request.max_drop_pp,
            artifacts=tuple(self.artifacts),
            parity=parity,
            latency=latency,
            costs=self.crew.costs(),
            failures=tuple(self.failures),
            notes=(
                *self.notes,
                *integer_sums(self.artifacts),
                *integer_weights_on_gpu(self.artifacts, parity),
            ),
            history=self.story.steps,
            gzip_bytes={file: size.result() for file, size in self.packed.items()},
            plan=self.rescue,
            error_growth=growth,
        )


def _ask(member: Member, function: str, request: object, reply: type[T]) -> T:
    return member.call(f"resnet_edge.stages.{function}", request, reply)


def _asking(member: Member, function: str, request: object, reply: type[T]) -> Callable[[], T]:
    return lambda: _ask(member, function, request, reply)
