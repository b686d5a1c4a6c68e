"""Runs in the parent. The bundle for an app: files that are proved once more, in the runtimes of apps.

               model files worker      one worker for each runtime      scores worker
DIR, images ─► files of each profile ─► scores of each file ─────────► agreement, golden vectors
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from resnet_edge import __version__
from resnet_edge.core.arena import Arena
from resnet_edge.core.bundle import Bundle, BundledFile, BundleFacts, ClassCount, Golden, RuntimeProof
from resnet_edge.core.errors import (
    ArtifactError,
    DataError,
    DeviceUnavailable,
    MissingDependency,
    WorkerFailed,
)
from resnet_edge.core.image_contract import ImageContract, contract
from resnet_edge.core.progress import Progress, silent
from resnet_edge.core.progress import Report as Tell
from resnet_edge.stages import calls
from resnet_edge.stages.bundle_request import (
    ClassCounts,
    ClassesRequest,
    ExpectedRequest,
    FilesRequest,
    GoldenRequest,
    MadeFile,
    MadeFiles,
    Picked,
    PickRequest,
    SamplesRequest,
    ScoresApart,
    ScoresRequest,
    WidenRequest,
)
from resnet_edge.stages.converted import Converted
from resnet_edge.stages.crew import Crew, Member
from resnet_edge.stages.first_backend import FIRST_BACKEND
from resnet_edge.stages.micro_arena_request import ArenaRequest
from resnet_edge.stages.runtime_agreement import COUNTERPARTS, judged
from resnet_edge.stages.workspace import Workspace

T = TypeVar("T")
FOUND_AGAIN = {"fashion-mnist (test)": "fashion-mnist"}
"""DATA that `package` finds wherever it runs, by what a report calls it."""


@dataclass(frozen=True)
class PackageRequest:
    """What the user asks for. `data` None: the data that the report names. `profiles` by file name.
    `images` is how many images each runtime gives its scores for, `golden` how many go into the bundle."""

    profiles: tuple[str, ...]
    data: str | None
    resize: str
    images: int
    golden: int
    unproved: bool
    version: str
    license: str


def package(request: PackageRequest, converted: Converted, workspace: Workspace, tell: Tell) -> Bundle:
    """Write model files and golden images into `workspace.folder`. Raises ResnetEdgeError."""
    if not converted.facts.preprocessing.takes_pixels:
        raise ArtifactError(
            f"the artifacts in {converted.folder} want pixels that are prepared outside, and every app would "
            "do that in its own way: convert with --preprocess, so that they take raw pixels"
        )
    with Crew(workspace.logs, workspace.check_space) as crew:
        return _Run(request, converted, workspace, crew, tell).run()


class _Run:
    """The state of one run."""

    def __init__(
        self, request: PackageRequest, converted: Converted, workspace: Workspace, crew: Crew, tell: Tell
    ) -> None:
        self.request, self.converted, self.workspace = request, converted, workspace
        self.crew, self.tell = crew, tell
        self.scores = crew.member("scores", silent)
        self.runners: dict[str, Member] = {}
        self.anchors: dict[str, str] = {}
        self.images: dict[int, str] = {}
        self.ran: set[str] = set()  # the outputs that are whole: a run that fails leaves some, too
        self.unproved = {a.file: why for a in converted.artifacts if (why := converted.unproved(a))}

    def run(self) -> Bundle:
        image = contract(self.request.resize, *self.converted.facts.input_shape)
        images = self._read_images()
        self.images = {image.channels: images.images}
        made = self._files(image)
        for file in made.files:
            self._anchor(file.file)
        folder = self.workspace.folder / "golden" / "images"
        folder.mkdir(parents=True)
        first = self.anchors[made.files[0].file.source]
        picked = self._ask_scores(
            "pick", PickRequest(images.images, images.labels, first, self.request.golden, str(folder)), Picked
        )
        expected = [self._expected(file) for file in made.files]
        proofs = [
            self._proof(file.file, backend, wanted, picked)
            for file, wanted in zip(made.files, expected, strict=True)
            for backend in file.backends
        ]
        golden = self._golden(made, expected, proofs, picked, images, folder)
        facts = self.converted.facts
        files = tuple(file.file for file in made.files)
        title = facts.name.replace("_", " ")
        told = BundleFacts(facts.name, title, self.converted.labels, image, files, golden)
        asked = SamplesRequest(told, str(self.workspace.folder))
        self.scores.call("resnet_edge.stages.bundle_samples:write", asked, calls.Done)
        return Bundle(
            told,
            tuple(proofs),
            self._arenas(proofs),
            made.left,
            tuple(why for file, why in self.unproved.items() if any(f.source == file for f in files)),
            self._classes(first, images),
        )

    def _classes(self, anchor: str, images: calls.Images) -> tuple[ClassCount, ...]:
        if images.labels is None:
            return ()
        asked = ClassesRequest(anchor, images.labels, self.converted.labels)
        return self._ask_scores("classes", asked, ClassCounts).counts

    def _read_images(self) -> calls.Images:
        facts = self.converted.facts
        word = self.request.data or FOUND_AGAIN.get(self.converted.data)
        if word is None:
            # A folder of that name may be here too, and be another.
            raise DataError(
                f"the report names its data {self.converted.data!r}, wherever that is: give --data"
            )
        asked = calls.ImagesRequest(
            word,
            facts.input_shape,
            facts.classes,
            facts.preprocessing,
            str(self.workspace.scratch_folder("images")),
            self.request.images,
        )
        reader = self.crew.member("images", self.tell)
        try:
            return reader.call("resnet_edge.stages.images:prepare", asked, calls.PreparedImages).evaluation
        finally:
            reader.dismiss()

    def _files(self, image: ImageContract) -> MadeFiles:
        facts = self.converted.facts
        maker = self.crew.member("model files", self.tell)
        asked = FilesRequest(
            str(self.workspace.folder),
            self.converted.artifacts,
            self.request.profiles,
            facts.name,
            image,
            facts.output,
            self.converted.labels,
            f"{facts.classes} classes of images, from {Path(facts.source).name} (resnet-edge {__version__})",
            self.request.version,
            self.request.license,
            self.unproved,
            self.request.unproved,
        )
        try:
            return maker.call("resnet_edge.stages.bundle_files:make", asked, MadeFiles)
        finally:
            maker.dismiss()

    def _anchor(self, file: BundledFile) -> None:
        """Run the artifact that a file is made from, once."""
        if file.source in self.anchors:
            return
        artifact = next(a for a in self.converted.artifacts if a.file == file.source)
        backend = FIRST_BACKEND[artifact.format]
        out = str(self.workspace.scratch / f"{artifact.file}.anchor.npy")
        self._predict(artifact.path, artifact.format, backend, self.converted.facts.input_shape[2], out)
        self.anchors[file.source] = out

    def _predict(self, path: str, format: str, backend: str, channels: int, out: str) -> calls.PredictResult:
        asked = calls.PredictRequest(path, format, backend, "cpu", 1, self.images[channels], out)
        if backend not in self.runners:
            self.runners[backend] = self.crew.member(f"on {backend}", self.tell)
        return self.runners[backend].call("resnet_edge.stages.predict:predict", asked, calls.PredictResult)

    def _expected(self, made: MadeFile) -> str:
        file = made.file
        out = str(self.workspace.scratch / f"{file.profile}.{Path(file.path).name}.expected.npy")
        softmax = file.scores == "probabilities" and self.converted.facts.output == "logits"
        return self._ask_scores(
            "expected", ExpectedRequest(self.anchors[file.source], softmax, out), calls.Done
        ).path

    def _proof(self, file: BundledFile, backend: str, expected: str, picked: Picked) -> RuntimeProof:
        """What a runtime gives. Whatever keeps it from opening the file is told, and others go on."""
        channels = file.input.shape[3] or 0
        if channels not in self.images:
            wide = str(self.workspace.scratch / "rgb.npy")
            self._ask_scores("widen", WidenRequest(next(iter(self.images.values())), wide), calls.Done)
            self.images[channels] = wide
        path = str(self.workspace.folder / file.path)
        out = self._outputs(file, backend)
        try:
            ran = self._predict(path, file.format, backend, channels, out)
            self.ran.add(out)
            other = self._counterpart(file, backend)
            asked = ScoresRequest(expected, out, self._outputs(file, other), picked.rows)
            found = self._ask_scores("apart", asked, ScoresApart)
        except MissingDependency as error:
            return self._told(RuntimeProof(file.path, backend, "not installed", str(error)))
        except (ArtifactError, DeviceUnavailable, WorkerFailed) as error:  # some runtimes end their process
            return self._told(RuntimeProof(file.path, backend, "does not open", str(error)))
        except DataError as error:
            return self._told(RuntimeProof(file.path, backend, "differs", str(error)))
        proof = judged(file, (backend, other), ran, found, len(picked.rows), self.converted.labels)
        return self._told(proof)

    def _counterpart(self, file: BundledFile, backend: str) -> str:
        """The backend to compare with to the last bit: of the same kernels, else the first that ran."""
        for other in (COUNTERPARTS.get(backend, ""), FIRST_BACKEND[file.format]):
            if self._outputs(file, other) in self.ran:
                return other
        return backend

    def _outputs(self, file: BundledFile, backend: str) -> str:
        return str(self.workspace.scratch / f"{file.profile}.{Path(file.path).name}.{backend}.npy")

    def _arenas(self, proofs: list[RuntimeProof]) -> dict[str, Arena]:
        """How much memory the files take that ran in TFLite Micro."""
        ran = [proof.file for proof in proofs if proof.backend == "tflite_micro" and proof.n]
        member = self.crew.member("arenas", self.tell)
        return {
            path: member.call(
                "resnet_edge.stages.micro_arena:measure",
                ArenaRequest(str(self.workspace.folder / path)),
                Arena,
            )
            for path in ran
        }

    def _told(self, proof: RuntimeProof) -> RuntimeProof:
        if proof.status != "agrees":
            note = f"{proof.file} on {proof.backend}: {proof.status}: {proof.reason}"
            self.tell(Progress("runtimes", note=note, line=True))
        return proof

    def _golden(
        self,
        made: MadeFiles,
        expected: list[str],
        proofs: list[RuntimeProof],
        picked: Picked,
        images: calls.Images,
        folder: Path,
    ) -> Golden:
        measured = []
        for file in made.files:
            rows = {
                proof.backend: proof.max_abs
                for proof in proofs
                if proof.file == file.file.path and proof.max_abs is not None
            }
            if not rows:
                why = next(proof.reason for proof in proofs if proof.file == file.file.path)
                raise ArtifactError(f"{file.file.path} opens in no runtime here: {why}")
            measured.append(rows)
        files = tuple(file.file for file in made.files)
        asked = GoldenRequest(picked, images.images, str(folder), files, tuple(expected), tuple(measured))
        return self._ask_scores("golden", asked, Golden)

    def _ask_scores(self, function: str, asked: object, reply: type[T]) -> T:
        return self.scores.call(f"resnet_edge.stages.bundle_scores:{function}", asked, reply)
