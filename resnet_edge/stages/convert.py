"""Runs in the parent. The main job: a Keras model to proven artifacts.

      source worker             artifact worker               proof workers       latency worker
    model ─► portable graph ─┬─► ranges ─► quantized ─► files ─► outputs ─┐
                             └─► reference outputs ───────────────────────┴─► verdicts ─► latency

Nothing is visible under its final name before all of it is there (stages/workspace.py).
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from resnet_edge import __version__
from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import DataError, ResnetEdgeError
from resnet_edge.core.latency import Latency
from resnet_edge.core.machine import machine, versions
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.parity import Parity
from resnet_edge.core.progress import Report as Tell
from resnet_edge.core.report import Failure, Report
from resnet_edge.models import ModelRequest
from resnet_edge.stages import calls
from resnet_edge.stages.crew import Crew, Member
from resnet_edge.stages.workspace import Workspace

T = TypeVar("T")

PROOF_WORKERS = 2
"""Proofs run side by side, one thread each: two fill a small machine, and each costs the
memory of one open artifact."""
CALIBRATION_LIMIT = 1000
HELD_OUT = 200
"""Images that are held out of the data for calibration where none are given, at most a fifth."""


@dataclass(frozen=True)
class ConvertRequest:
    """What the user asks for. `calibration` None: held out of `data`. `class_names` come
    before those of the model and the data. `command` is how it was asked for."""

    model: ModelRequest
    data: str
    calibration: str | None
    plan: calls.PlanRequest
    max_drop_pp: float
    threads: int
    latency_seconds: float
    dynamic_batch: bool = False
    class_names: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class _Proof:
    """The outputs of one artifact at one place, when they are there."""

    artifact: Artifact
    job: calls.Job
    place: calls.Place
    outputs: Future[str]


def convert(request: ConvertRequest, workspace: Workspace, tell: Tell) -> Report:
    """Run the job and write artifacts and labels into `workspace.folder`; return the report.

    What concerns one artifact only becomes a Failure in the report; what concerns all of
    them is raised, as a ResnetEdgeError.
    """
    with Crew(workspace.logs) as crew, ThreadPoolExecutor(2 + PROOF_WORKERS) as pool:
        run = _Run(request, workspace, crew, pool, tell)
        try:
            return run.run()
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
        self.request, self.workspace, self.pool, self.tell = request, workspace, pool, tell
        self.crew = crew
        self.source, self.maker, self.judge = (crew.member(n) for n in ("source", "artifacts", "verdicts"))
        self.provers: queue.Queue[Member] = queue.Queue()
        for number in range(PROOF_WORKERS):
            self.provers.put(crew.member(f"proof {number + 1}"))
        self.artifacts: list[Artifact] = []
        self.parity: list[Parity] = []
        self.latency: tuple[Latency, ...] = ()
        self.failures: list[Failure] = []
        self.notes: list[str] = []

    def run(self) -> Report:
        planning = self.pool.submit(self._ask, self.maker, "plan:plan", self.request.plan, calls.Plan)
        facts = self._ask(self.source, "source:facts", self.request.model, ModelFacts)
        plan = planning.result()
        self.notes += plan.notes
        reading = self.pool.submit(self._images, facts, plan)
        portable = self._export()
        images, calibration = reading.result()
        reference = self.pool.submit(self._reference, images)
        proofs = self._make(facts, plan, portable, images, calibration)
        outputs = self._judged(facts, images, reference.result(), proofs)
        self._same_numbers(outputs)
        self._time(images, proofs)
        names = self._labels(facts, images)
        return self._report(facts, images, calibration, names)

    def _ask(self, member: Member, function: str, request: object, reply: type[T]) -> T:
        return member.call(f"resnet_edge.stages.{function}", request, reply, self.tell)

    def _attempt(self, what: str, step: Callable[[], T]) -> T | None:
        """Run a step that concerns one artifact; its failure is noted and the run goes on."""
        try:
            return step()
        except ResnetEdgeError as error:
            self.failures.append(Failure(what, str(error)))
            return None

    # -- before the artifacts --------------------------------------------------------------

    def _images(self, facts: ModelFacts, plan: calls.Plan) -> tuple[calls.Images, calls.Images | None]:
        """The images to prove on, and those to calibrate with where a scheme needs them."""
        reader = self.crew.member("images")
        given = self.request.calibration
        hold_out = HELD_OUT if plan.needs_calibration and given is None else 0
        main = self._read(reader, facts, "evaluation", self.request.data, None, hold_out)
        calibration = main.held_out
        if calibration is not None:
            self.notes.append(
                f"calibration used {calibration.n} images held out of the data, which the proof does not use; "
                "name others with --calibration"
            )
        elif plan.needs_calibration and given is not None:
            calibration = self._read(reader, facts, "calibration", given, CALIBRATION_LIMIT, 0).evaluation
        reader.dismiss()
        return main.evaluation, calibration

    def _read(
        self, reader: Member, facts: ModelFacts, name: str, data: str, limit: int | None, hold_out: int
    ) -> calls.PreparedImages:
        folder = str(self.workspace.scratch_folder(name))
        request = calls.ImagesRequest(
            data, facts.input_shape, facts.classes, facts.preprocessing, folder, limit, hold_out
        )
        return self._ask(reader, "images:prepare", request, calls.PreparedImages)

    def _export(self) -> str:
        out = str(self.workspace.scratch / "float.tflite")
        request = calls.ExportRequest(self.request.model, out, self.request.dynamic_batch)
        return self._ask(self.source, "source:export", request, calls.Done).path

    def _reference(self, images: calls.Images) -> str:
        out = str(self.workspace.scratch / "reference.npy")
        request = calls.ReferenceRequest(self.request.model, images.images, out)
        path = self._ask(self.source, "source:reference", request, calls.Done).path
        self.source.dismiss()
        return path

    # -- the artifacts ---------------------------------------------------------------------

    def _make(
        self,
        facts: ModelFacts,
        plan: calls.Plan,
        portable: str,
        images: calls.Images,
        calibration: calls.Images | None,
    ) -> list[_Proof]:
        """Make every artifact, and start its proofs as soon as it is there."""
        ranges = None if calibration is None else self._ranges(facts, portable, calibration)
        proofs: list[_Proof] = []
        for scheme, jobs in plan.by_scheme().items():
            request = calls.PortableRequest(
                portable,
                scheme,
                ranges if jobs[0].needs_calibration else None,
                facts.output,
                self.request.plan.io,
                str(self.workspace.scratch / f"{scheme}.tflite"),
            )
            made = self._attempt(scheme, lambda r=request: self._ask(self.maker, "artifacts:portable", r, calls.Done))  # type: ignore[misc]
            for job in jobs if made is not None else ():
                artifact = self._artifact(facts, request.out, job)
                if artifact is not None:
                    self.artifacts.append(artifact)
                    proofs += [self._start(artifact, job, place, images) for place in job.places]
        self.maker.dismiss()
        return proofs

    def _ranges(self, facts: ModelFacts, portable: str, calibration: calls.Images) -> str:
        out = str(self.workspace.scratch / "ranges.json")
        pixels = facts.preprocessing.takes_pixels
        request = calls.RangesRequest(portable, calibration.images, pixels, self.request.threads, out)
        self._ask(self.maker, "artifacts:ranges", request, calls.RangesResult)
        return out

    def _artifact(self, facts: ModelFacts, portable: str, job: calls.Job) -> Artifact | None:
        out = self.workspace.folder / f"{facts.name}.{job.scheme}{job.suffix}"
        request = calls.ArtifactRequest(portable, job.format, job.scheme, facts.name, str(out))
        made = self._attempt(out.name, lambda: self._ask(self.maker, "artifacts:artifact", request, Artifact))
        if made is None:
            out.unlink(missing_ok=True)
        return made

    # -- the proof -------------------------------------------------------------------------

    def _start(self, artifact: Artifact, job: calls.Job, place: calls.Place, images: calls.Images) -> _Proof:
        return _Proof(artifact, job, place, self.pool.submit(self._outputs, artifact, place, images))

    def _outputs(self, artifact: Artifact, place: calls.Place, images: calls.Images) -> str:
        out = self.workspace.scratch / f"{artifact.file}.{place.backend}.{place.device}.npy"
        request = calls.PredictRequest(
            artifact.path, artifact.format, place.backend, place.device, 1, images.images, str(out)
        )
        prover = self.provers.get()
        try:
            return self._ask(prover, "predict:predict", request, calls.PredictResult).out
        finally:
            self.provers.put(prover)

    def _judged(
        self, facts: ModelFacts, images: calls.Images, reference: str, proofs: list[_Proof]
    ) -> dict[tuple[str, str], tuple[Artifact, str]]:
        """Judge every proof; the outputs of those that ran, by (format, scheme)."""
        ran = {}
        for proof in proofs:
            what = f"{proof.artifact.file} on {proof.place.backend}"
            outputs = self._attempt(what, proof.outputs.result)
            if outputs is None:
                continue
            request = calls.CompareRequest(
                proof.artifact.file,
                proof.place.backend,
                proof.place.device,
                proof.job.scheme,
                facts.output,
                reference,
                outputs,
                images.labels,
                self.request.max_drop_pp,
                proof.job.min_sqnr_db,
            )
            verdict = self._attempt(what, lambda r=request: self._ask(self.judge, "compare:compare", r, Parity))  # type: ignore[misc]
            if verdict is not None:
                self.parity.append(verdict)
                ran[proof.job.format, proof.job.scheme] = (proof.artifact, outputs)
        return ran

    def _same_numbers(self, outputs: dict[tuple[str, str], tuple[Artifact, str]]) -> None:
        """Say how far the int8 files of the two formats agree with each other."""
        if not {("tflite", "int8"), ("onnx", "int8")} <= outputs.keys():
            return
        (tflite, a), (onnx, b) = outputs["tflite", "int8"], outputs["onnx", "int8"]
        request = calls.AgreementRequest(a, b, None)
        found = self._attempt("agreement", lambda: self._ask(self.judge, "compare:agree", request, calls.Agreement))
        if found is not None:
            self.notes.append(
                f"{tflite.file} and {onnx.file} agree on the top-1 of {found.same_top1:,} of {found.n:,} images and "
                f"on {100 * found.identical / found.values:.2f} % of the output values bit for bit"
            )

    def _time(self, images: calls.Images, proofs: list[_Proof]) -> None:
        """Measure latency with nothing else of ours running."""
        for _ in range(PROOF_WORKERS):
            self.provers.get().dismiss()
        self.judge.dismiss()
        targets = tuple(
            calls.LatencyTarget(
                p.artifact.path, p.artifact.file, p.job.format, p.job.scheme, p.place.backend, p.place.device
            )
            for p in proofs
            if p.outputs.exception() is None
        )
        if not targets or not self.request.latency_seconds:
            return
        request = calls.LatencyRequest(
            targets, images.images, self.request.threads, None, self.request.latency_seconds
        )
        clock = self.crew.member("latency")
        timed = self._attempt("latency", lambda: self._ask(clock, "latency:measure", request, calls.LatencyResult))
        clock.dismiss()
        if timed is not None:
            self.latency = timed.latencies
            self.failures += timed.failures

    # -- the end ---------------------------------------------------------------------------

    def _labels(self, facts: ModelFacts, images: calls.Images) -> tuple[str, ...]:
        """Write labels.txt: one class name per line, as many as the model has outputs."""
        given = self.request.class_names or facts.class_names or images.class_names
        if given and len(given) != facts.classes:
            raise DataError(f"{len(given)} class names for {facts.classes} classes: mend the labels")
        if not given:
            self.notes.append("nothing names the classes: labels.txt holds their numbers")
        names = given or tuple(map(str, range(facts.classes)))
        (self.workspace.folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        return names

    def _report(
        self, facts: ModelFacts, images: calls.Images, calibration: calls.Images | None, names: tuple[str, ...]
    ) -> Report:
        described = [
            None if i is None else {"source": i.source, "n": i.n, "labelled": i.labels is not None, "sha256": i.sha256}
            for i in (images, calibration)
        ]
        assert described[0] is not None
        return Report(
            resnet_edge=__version__,
            versions=versions(),
            machine={**machine(), "command": self.request.command},
            model=facts,
            data=described[0],
            calibration=described[1],
            max_drop_pp=self.request.max_drop_pp,
            artifacts=tuple(self.artifacts),
            parity=tuple(self.parity),
            latency=self.latency,
            costs=self.crew.costs(),
            failures=tuple(self.failures),
            notes=tuple(self.notes),
        )


def class_names_in(path: Path) -> tuple[str, ...]:
    """The class names in a text file, one per line. Raises DataError."""
    try:
        names = tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a text file of class names: {error}") from error
    if not all(name.strip() for name in names):
        raise DataError(f"{path} has an empty line: one class name per line")
    return names
