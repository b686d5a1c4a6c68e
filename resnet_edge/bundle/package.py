"""Runs in the parent. The bundle for an app: files that are proved once more, in the runtimes of apps.

               model files worker      one worker for each runtime      scores worker
DIR, images ─► files of each profile ─► scores of each file ─────────► agreement, golden vectors
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from resnet_edge import __version__
from resnet_edge.bundle.converted import Converted, check_apart
from resnet_edge.bundle.elsewhere import HostLatency, check_opens, targets
from resnet_edge.bundle.micro_arena_task import MeasureArena
from resnet_edge.bundle.oldest import oldest
from resnet_edge.bundle.proofs import Proofs
from resnet_edge.bundle.task import (
    CountClasses,
    ForetellDelegates,
    GoldenWritten,
    MadeFiles,
    Picked,
    PickGoldenImages,
    WriteFiles,
    WriteGoldenVectors,
    WriteSamples,
)
from resnet_edge.core import registry
from resnet_edge.core.arena import Arena
from resnet_edge.core.errors import (
    ArtifactError,
    DataError,
)
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.head import Head
from resnet_edge.core.image_contract import ImageContract, app_contract
from resnet_edge.core.metadata import LabelFile
from resnet_edge.core.results.bundle import Bundle, BundleFacts, ClassCount, Golden, RuntimeProof
from resnet_edge.core.results.outlook import FileOutlook
from resnet_edge.core.results.report import Failure
from resnet_edge.data.class_names import check_count, class_names_in
from resnet_edge.data.declared import check_data
from resnet_edge.data.images_task import Images, PrepareImages
from resnet_edge.evaluation.hosts import hosts_of, offers, same_machines
from resnet_edge.evaluation.job import Offer
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress, silent

T = TypeVar("T")
PROFILES = ("android_tasks", "litert", "mcu", "onnx")


@dataclass(frozen=True, kw_only=True)
class PackageRequest:
    """What the user asks for. `data` is a DATA word, None where nobody knows one. `profiles` and `schemes` by
    file name; where None, those of PROFILES that can hold the model, and all proved schemes that one takes.
    `translations` are label files by language. `images` is how many images each runtime gives its scores for,
    `golden` how many go into the bundle. `same_data`: `data` is what `convert` was given. `backends` are
    named beside those of the profiles."""

    profiles: tuple[str, ...] | None
    schemes: tuple[str, ...] | None
    translations: tuple[tuple[str, Path], ...]
    data: str | None
    resize: str
    images: int
    golden: int
    unproved: bool
    version: str
    license: str
    same_data: bool = False
    backends: tuple[str, ...] = ()


def package(
    request: PackageRequest, converted: Converted, workspace: Workspace, on_progress: OnProgress
) -> Bundle:
    """Write model files and golden images into `workspace.folder`. Raises ResnetEdgeError."""
    if not converted.facts.preprocessing.takes_pixels:
        raise ArtifactError(
            f"the artifacts in {converted.folder} want pixels that are prepared outside, and every app would "
            "do that in its own way: convert with --preprocess, so that they take raw pixels"
        )
    translations = tuple(_translated(request, converted))
    env = {"TMPDIR": str(workspace.scratch)}
    grant = Grant(writes=(str(workspace.folder), str(workspace.scratch)))
    with WorkerPool(workspace.logs, workspace.check_space, env, grant) as workers:
        offered = offers(workers, request.backends, on_progress, here=True)
        return _Run(request, converted, translations, workspace, workers, on_progress, offered).run()


def _translated(request: PackageRequest, converted: Converted) -> Iterator[LabelFile]:
    for locale, path in request.translations:
        labels = class_names_in(path)
        check_count(labels, converted.facts, str(path))
        check_apart(path, labels)
        yield LabelFile(f"labels_{locale}.txt", labels, locale)


def purpose(head: Head) -> str:
    """What a model is for, for people."""
    if head.kind == "embedding":
        return f"an embedding of images, {head.dimensions} numbers"
    return f"{head.classes} {'labels' if head.kind == 'multilabel' else 'classes'} of images"


class _Run:
    """The state of one run."""

    def __init__(
        self,
        request: PackageRequest,
        converted: Converted,
        translations: tuple[LabelFile, ...],
        workspace: Workspace,
        workers: WorkerPool,
        on_progress: OnProgress,
        offered: tuple[Offer, ...],
    ) -> None:
        self.offers = offered
        self.request, self.converted, self.workspace = request, converted, workspace
        self.translations = translations
        self.workers, self.on_progress = workers, on_progress
        self.scores = workers.worker("scores", silent)
        self.unproved = {a.file: why for a in converted.artifacts if (why := converted.unproved(a))}

    def run(self) -> Bundle:
        image = app_contract(self.request.resize, *self.converted.facts.input_shape)
        images = self._read_images()
        model_files = self._files(image)
        check_opens(model_files.files, self.offers)
        outlooks = self._outlooks(model_files)
        proofs = Proofs(self.converted, self.workspace, self.workers, images.images, self.on_progress)
        first = proofs.anchor(model_files.files[0].file)
        picked = self._pick(images, first)
        expected = [proofs.expected(file) for file in model_files.files]
        rows = [
            proofs.proof(file.file, target, wanted, picked)
            for file, wanted in zip(model_files.files, expected, strict=True)
            for target in targets(file, self.offers)
        ]
        written = self._golden(model_files, proofs, expected, rows, picked, images)
        facts = self._facts(model_files, image, written.golden)
        arenas = self._arenas(rows)
        latency = HostLatency(proofs, model_files.files, rows)
        latency.measure(self.offers)  # nothing else of ours runs by now
        return Bundle(
            facts=facts,
            proofs=tuple(rows),
            arenas=arenas,
            left=model_files.left,
            unproved=tuple(
                why for name, why in self.unproved.items() if any(f.source == name for f in facts.files)
            ),
            classes=self._classes(first, images),
            outlooks=outlooks,
            images=self.converted.proved_on.compared(
                images.n, images.sha256, same_data=self.request.same_data
            ),
            notes=(*self.converted.notes, *same_machines(self.offers), *written.beyond),
            oldest={
                file.path: oldest(file, rows, self.converted.proofs, list(registry.declared("backends")))
                for file in facts.files
            },
            hosts=hosts_of(self.offers).get("hosts", {}),
            latency=tuple(latency.latencies),
            failures=(
                *(
                    Failure(f"{row.file} on {row.backend}", row.reason)
                    for row in rows
                    if row.status == "not run"
                ),
                *latency.failures,
            ),
        )

    def _pick(self, images: Images, anchor: str) -> Picked:
        folder = self.workspace.folder / "golden" / "images"
        folder.mkdir(parents=True)
        facts = self.converted.facts
        task = PickGoldenImages(
            images=images.images,
            labels=images.labels,
            anchor=anchor,
            head=facts.head,
            count=self.request.golden,
            folder=str(folder),
        )
        return self.scores.run(task)

    def _facts(self, model_files: MadeFiles, image: ImageContract, golden: Golden) -> BundleFacts:
        """What documents are made from, and the sample code made from it."""
        name, labels = self.converted.facts.name, self.converted.labels
        files = tuple(file.file for file in model_files.files)
        facts = BundleFacts(
            name=name, title=name.replace("_", " "), labels=labels, image=image, files=files, golden=golden
        )
        task = WriteSamples(facts=facts, folder=str(self.workspace.folder))
        self.scores.run(task)
        return facts

    def _outlooks(self, model_files: MadeFiles) -> tuple[FileOutlook, ...]:
        worker = self.workers.worker("accelerators", self.on_progress)
        try:
            task = ForetellDelegates(folder=str(self.workspace.folder), files=model_files.files)
            return worker.run(task).outlooks
        finally:
            worker.close()

    def _classes(self, anchor: str, images: Images) -> tuple[ClassCount, ...]:
        if images.labels is None or self.converted.facts.head.kind == "embedding":
            return ()
        task = CountClasses(
            anchor=anchor, head=self.converted.facts.head, labels=images.labels, names=self.converted.labels
        )
        return self.scores.run(task).counts

    def _read_images(self) -> Images:
        facts = self.converted.facts
        if self.request.data is None:
            raise DataError(
                f"the images that the report names, {self.converted.data!r}, are not where they were, or "
                "were in memory: give --data"
            )
        check_data(self.request.data)
        task = PrepareImages(
            data=self.request.data,
            shape=facts.input_shape,
            classes=facts.classes,
            kind=facts.head.kind,
            preprocessing=facts.preprocessing,
            folder=str(self.workspace.scratch_folder("images")),
            hold_out=self.converted.held_out if self.request.same_data else 0,
            limit=self.request.images,
            as_array=True,  # widened files and other machines take them, too
        )
        reader = self.workers.worker("images", self.on_progress)
        try:
            return reader.run(task).evaluation
        finally:
            reader.close()

    def _files(self, image: ImageContract) -> MadeFiles:
        facts = self.converted.facts
        maker = self.workers.worker("model files", self.on_progress)
        task = WriteFiles(
            folder=str(self.workspace.folder),
            artifacts=self.converted.artifacts,
            profiles=self.request.profiles or PROFILES,
            schemes=self.request.schemes,
            name=facts.name,
            image=image,
            head=facts.head,
            labels=self.converted.labels,
            translations=self.translations,
            description=f"{purpose(facts.head)}, from {Path(facts.source).name} (resnet-edge {__version__})",
            version=self.request.version,
            license=self.request.license,
            unproved=self.unproved,
            allow_unproved=self.request.unproved,
            wherever_possible=self.request.profiles is None,
        )
        try:
            return maker.run(task)
        finally:
            maker.close()

    def _arenas(self, proofs: list[RuntimeProof]) -> dict[str, Arena]:
        """How much memory the files take that ran where that is told."""
        reporting = {
            name for name in registry.names("backends") if registry.constant("backends", name, "ARENA", False)
        }
        ran = [proof for proof in proofs if proof.backend in reporting and proof.n]
        worker = self.workers.worker("arenas", self.on_progress)
        return {
            proof.file: worker.run(
                MeasureArena(path=str(self.workspace.folder / proof.file), backend=proof.backend)
            )
            for proof in ran
        }

    def _golden(
        self,
        model_files: MadeFiles,
        proofs: Proofs,
        expected: list[str],
        runtime_proofs: list[RuntimeProof],
        picked: Picked,
        images: Images,
    ) -> GoldenWritten:
        measured, pinned = [], registry.declared("backends")
        for file in model_files.files:
            rows = {
                proof.backend: proof.max_abs
                for proof in runtime_proofs
                if proof.file == file.file.path
                and proof.max_abs is not None
                # What an old runtime gets wrong is told elsewhere, and nothing is expected of it.
                and (proof.status == "agrees" or proof.backend not in pinned)
            }
            if not rows:
                why = next(proof.reason for proof in runtime_proofs if proof.file == file.file.path)
                raise ArtifactError(f"{file.file.path} opens in no runtime here: {why}")
            measured.append(rows)
        files = tuple(file.file for file in model_files.files)
        task = WriteGoldenVectors(
            picked=picked,
            images=images.images,
            folder=str(self.workspace.folder / "golden" / "images"),
            files=files,
            head=self.converted.facts.head,
            anchors=tuple(proofs.anchor(file) for file in files),
            expected=tuple(expected),
            measured=tuple(measured),
        )
        return self.scores.run(task)
