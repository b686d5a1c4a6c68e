"""Runs in the parent. Every file of a bundle in every runtime that it is for, against its artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from resnet_edge.bundle.converted import Converted
from resnet_edge.bundle.runtime_agreement import counterparts, judged
from resnet_edge.bundle.task import (
    CompareScores,
    ExpectScores,
    MadeFile,
    Picked,
    WidenImages,
)
from resnet_edge.core.backend_name import CPU, option_of
from resnet_edge.core.errors import (
    ArtifactError,
    DataError,
    DeviceUnavailable,
    HostUnavailable,
    MissingDependency,
    ResnetEdgeError,
    WorkerFailed,
)
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.results.bundle import BundledFile, RuntimeProof, Status
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.job import Target
from resnet_edge.evaluation.predict_task import Predict, PredictResult
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress, silent

T = TypeVar("T")


class Proofs:
    """Asks the runtimes. `images` .npy (N, H, W, C) is what every one of them is fed."""

    def __init__(
        self,
        converted: Converted,
        workspace: Workspace,
        workers: WorkerPool,
        images: str,
        on_progress: OnProgress,
    ) -> None:
        self.converted, self.workspace = converted, workspace
        self.workers, self.on_progress = workers, on_progress
        self.scores = workers.worker("scores", silent)
        self.images = {converted.facts.input_shape[2]: images}
        self.runners: dict[str, Worker] = {}
        self.gone: dict[str, ResnetEdgeError] = {}  # a host that went away is not waited for again
        self.anchors: dict[str, str] = {}
        self.ran: set[str] = set()  # the outputs that are whole: a run that fails leaves some, too

    def anchor(self, file: BundledFile) -> str:
        """The outputs .npy (N, classes) of the artifact that a file is made from, which runs once."""
        if file.source in self.anchors:
            return self.anchors[file.source]
        artifact = next(a for a in self.converted.artifacts if a.file == file.source)
        target = Target(FIRST_BACKEND[artifact.format], CPU)
        out = str(self.workspace.scratch / f"{artifact.file}.anchor.npy")
        self._predict(
            artifact.path, artifact.format, target, self.images[self.converted.facts.input_shape[2]], out
        )
        self.anchors[file.source] = out
        return out

    def _predict(self, path: str, format: str, target: Target, images: str, out: str) -> PredictResult:
        task = Predict(
            path=path,
            format=format,
            backend=target.runtime,
            device=target.device,
            threads=1,
            images=images,
            out=out,
        )
        name = option_of(target.backend, target.device)
        if name not in self.runners:
            self.runners[name] = self.workers.worker(
                f"on {name}", self.on_progress, backends_grant([name]), target.host
            )
        return self.runners[name].run(task)

    def _predict_there(self, path: str, format: str, target: Target, images: str, out: str) -> PredictResult:
        """As _predict; a machine that could not do it once is not asked again. Raises HostUnavailable."""
        if target.host in self.gone:
            raise self.gone[target.host]
        try:
            return self._predict(path, format, target, images, out)
        except HostUnavailable as error:
            self.gone[target.host] = error
            raise

    def expected(self, model_file: MadeFile) -> str:
        """The scores .npy (N, classes) that a file must give."""
        file = model_file.file
        out = str(self.workspace.scratch / f"{file.profile}.{Path(file.path).name}.expected.npy")
        task = ExpectScores(
            anchor=self.anchor(file), head=self.converted.facts.head, wanted=file.head, out=out
        )
        return self.scores.run(task).path

    def images_for(self, file: BundledFile) -> str:
        """Images .npy (N, H, W, C) with the channels that a file takes."""
        channels = file.input.shape[3] or 0
        if channels not in self.images:
            wide = str(self.workspace.scratch / "rgb.npy")
            self.scores.run(WidenImages(images=next(iter(self.images.values())), out=wide))
            self.images[channels] = wide
        return self.images[channels]

    def proof(self, file: BundledFile, target: Target, expected: str, picked: Picked) -> RuntimeProof:
        """What a runtime gives. Whatever keeps it from opening the file is told, and others go on."""
        backend, images = option_of(target.backend, target.device), self.images_for(file)
        path = str(self.workspace.folder / file.path)
        out = self._outputs(file, backend)
        try:
            ran = self._predict_there(path, file.format, target, images, out)
            self.ran.add(out)
            other = self._counterpart(file, backend)
            task = CompareScores(
                expected=expected,
                actual=out,
                counterpart=self._outputs(file, other),
                head=file.head,
                rows=picked.rows,
            )
            apart = self.scores.run(task)
        except HostUnavailable as error:
            return self._reported(self._unproved(file, backend, "not run", error))
        except MissingDependency as error:
            return self._reported(self._unproved(file, backend, "not installed", error))
        except (ArtifactError, DeviceUnavailable, WorkerFailed) as error:  # some runtimes end their process
            return self._reported(self._unproved(file, backend, "does not open", error))
        except DataError as error:
            return self._reported(self._unproved(file, backend, "differs", error))
        proof = judged(file, (backend, other), ran, apart, len(picked.rows), self.converted.labels)
        return self._reported(proof)

    def _unproved(
        self, file: BundledFile, backend: str, status: Status, error: ResnetEdgeError
    ) -> RuntimeProof:
        """Why there is no proof, with the file's place in the bundle and not where this is made, as which the
        pool of workers gives the folder that it will be."""
        reason = str(error)
        for folder in (self.workspace.folder, self.workspace.out):
            reason = reason.replace(str(folder / file.path), file.path)
        return RuntimeProof(file=file.path, backend=backend, status=status, reason=reason)

    def _counterpart(self, file: BundledFile, backend: str) -> str:
        """The backend to compare with to the last bit: of the same kernels, else the first that ran."""
        for other in counterparts(backend, FIRST_BACKEND[file.format]):
            if self._outputs(file, other) in self.ran:
                return other
        return backend

    def _outputs(self, file: BundledFile, backend: str) -> str:
        return str(self.workspace.scratch / f"{file.profile}.{Path(file.path).name}.{backend}.npy")

    def _reported(self, proof: RuntimeProof) -> RuntimeProof:
        if proof.status != "agrees":
            note = f"{proof.file} on {proof.backend}: {proof.status}: {proof.reason}"
            self.on_progress(Progress(step="runtimes", note=note, line=True))
        return proof
