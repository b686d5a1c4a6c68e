"""Runs in a worker. The model files of a bundle, from artifacts that `convert` proved."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from resnet_edge.backends._pinned_environment import runtimes as pinned_runtimes
from resnet_edge.bundle.targets import DeliveryProfile
from resnet_edge.bundle.task import MadeFile, MadeFiles, WriteFiles
from resnet_edge.core import registry
from resnet_edge.core.answers import of_output
from resnet_edge.core.artifact import Artifact, TensorSpec, sha256_of
from resnet_edge.core.errors import ArtifactError, ResnetEdgeError
from resnet_edge.core.head import Head
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.core.results.bundle import BundledFile, Scores
from resnet_edge.graph.io_adapter import Border, surround
from resnet_edge.workers.progress import OnProgress, tracked


def make(request: WriteFiles, on_progress: OnProgress) -> MadeFiles:
    """Every file that a profile takes. Raises ArtifactError where none does, with the reasons, and where one
    takes none that was asked for by name."""
    files: list[MadeFile] = []
    left: list[str] = []
    for name in tracked(request.profiles, "model files", len(request.profiles), on_progress):
        profile: DeliveryProfile = registry.load("bundle.targets", name)
        of_profile, refused = _of_profile(request, name, profile)
        if not of_profile and not request.wherever_possible:
            why = "; ".join(refused) or f"it takes {', '.join((*profile.SCHEMES, *profile.ON_REQUEST))}"
            raise ArtifactError(f"the profile {registry.option_of(name)} has nothing to hold: {why}")
        files += of_profile
        left += refused
    if not files:
        raise ArtifactError(f"no profile has anything to hold: {'; '.join(dict.fromkeys(left))}")
    return MadeFiles(tuple(files), tuple(dict.fromkeys(left)))


def _of_profile(request: WriteFiles, name: str, profile: DeliveryProfile) -> tuple[list[MadeFile], list[str]]:
    files, refused = [], []
    for scheme in _schemes(request, profile):
        if request.schemes is not None and scheme not in request.schemes:
            continue
        artifact = next(
            (a for a in request.artifacts if (a.format, a.scheme) == (profile.FORMAT, scheme)), None
        )
        if artifact is None:
            refused.append(f"no {scheme} in {profile.FORMAT} was converted")
            continue
        if artifact.file in request.unproved and not request.allow_unproved:
            raise ArtifactError(f"{request.unproved[artifact.file]}: {_ways_out(request)}")
        try:
            first = _model_file(request, name, profile, artifact)
            files.append(first)
            files += _variants(first, Path(request.folder) / first.file.path, profile)
        except ResnetEdgeError as error:  # told in the bundle; others are made
            (Path(request.folder) / registry.option_of(name) / artifact.file).unlink(missing_ok=True)
            refused.append(f"{registry.option_of(name)} has no {artifact.file}: {error}")
    return files, refused


def _schemes(request: WriteFiles, profile: DeliveryProfile) -> tuple[str, ...]:
    converted = {artifact.scheme for artifact in request.artifacts if artifact.format == profile.FORMAT}
    if request.schemes is None and converted & {*profile.SCHEMES}:
        return profile.SCHEMES
    return (*profile.SCHEMES, *profile.ON_REQUEST)


def _ways_out(request: WriteFiles) -> str:
    """Of an artifact that has no passing proof: what else can be shipped."""
    missed = {a.scheme for a in request.artifacts if a.file in request.unproved}
    proved = dict.fromkeys(a.scheme for a in request.artifacts if a.scheme not in missed)
    without = f"ship what did with --schemes {','.join(proved)}, " if proved else ""
    return f"{without}convert again, or ship it with --unproved, which the bundle says"


def _model_file(request: WriteFiles, name: str, profile: DeliveryProfile, artifact: Artifact) -> MadeFile:
    if artifact.inputs[0].shape[0] != 1:
        raise ArtifactError("it takes any number of images, and apps one: convert without --dynamic-batch")
    if artifact.inputs[0].layout == "NCHW":
        raise ArtifactError(
            "it takes its channels first (NCHW), and the programs of a bundle give images as (N, H, W, C): "
            "convert without --nchw"
        )
    channels = artifact.inputs[0].shape[3]
    if profile.CHANNELS is not None and channels not in profile.CHANNELS:
        whom = profile.TITLE.partition(",")[0]
        raise ArtifactError(f"{whom} give it photos, and it takes {channels} channels")
    border = profile.border(artifact.scheme, request.head)
    if border is not None and artifact.inputs[0].dtype != "float32":
        raise ArtifactError(
            f"it takes {artifact.inputs[0].dtype}, and a profile starts from float32: convert without --io"
        )
    folder = Path(request.folder) / registry.option_of(name)
    folder.mkdir(exist_ok=True)
    out = folder / artifact.file
    changes = _written(Path(artifact.path), out, border)
    head = request.head if border is None else _behind(border, request.head)
    if profile.METADATA:
        _describe(out, request, head)
        changes = (*changes, "describes itself to apps: TFLite metadata, with the class names")
    companions = profile.companions(out, request.name)
    for beside, text in companions.items():
        (folder / beside).write_bytes(text.encode())
    image, output = _ends(out, profile.FORMAT)
    file = BundledFile(
        path=f"{folder.name}/{out.name}",
        profile=name,
        format=artifact.format,
        scheme=artifact.scheme,
        size_bytes=out.stat().st_size,
        sha256=sha256_of(out),
        input=image,
        output=output,
        scores=head.output,
        source=artifact.file,
        source_sha256=artifact.sha256,
        changes=changes,
        threshold=head.threshold,
        kind=head.kind,
        thresholds=head.thresholds,
    )
    runtimes = (*profile.runtimes(artifact.scheme), *_pinned_here(profile.PINNED))
    return MadeFile(file, runtimes, profile.delegates(artifact.scheme))


def _pinned_here(families: Collection[str]) -> list[str]:
    """The pinned runtimes of these families that are installed: nobody has to have them."""
    here = {name: one for name, one in pinned_runtimes().items() if one.is_there()}
    return [name for name in here if name.partition("@")[0] in families]


def _behind(border: Border, head: Head) -> Head:
    """What the head is with the border."""
    output: Scores = "probabilities" if border.probabilities else head.output
    if border.both:
        return Head.of_classes(head.classes, output)
    return of_output(head, output)


def _variants(first: MadeFile, path: Path, profile: DeliveryProfile) -> Iterator[MadeFile]:
    for variant in profile.variants(path):
        for beside, text in variant.companions.items():
            (path.parent / beside).write_bytes(text.encode())
        file = replace(
            first.file,
            path=f"{path.parent.name}/{variant.path.name}",
            size_bytes=variant.path.stat().st_size,
            sha256=sha256_of(variant.path),
            changes=(*first.file.changes, *variant.changes),
        )
        yield MadeFile(file, first.backends, ())


def _written(source: Path, out: Path, border: Border | None) -> tuple[str, ...]:
    if border is not None:
        return surround(source, out, border)
    shutil.copyfile(source, out)
    return ()


def _ends(path: Path, format: str) -> tuple[TensorSpec, TensorSpec]:
    inputs, outputs = registry.load("formats", format).describe(path)
    return inputs[0], outputs[0]


def _describe(path: Path, request: WriteFiles, head: Head) -> None:
    """Write the metadata into the file."""
    scores = head.output
    each = "label, any number of which may be right" if head.kind == "multilabel" else "class"
    from resnet_edge.formats.tflite import write_metadata

    image, _ = _ends(path, "tflite")
    real = image.dtype == "float32"
    metadata = ModelMetadata(
        name=request.name,
        description=request.description,
        version=request.version,
        author="",
        license=request.license,
        image=ImageInput(
            name="image",
            description="raw pixels, 0 to 255",
            width=request.image.width,
            height=request.image.height,
            colour_space="RGB" if image.shape[3] == 3 else "GRAYSCALE",
            mean=(0.0,) if real else (),
            std=(1.0,) if real else (),
        ),
        scores=ScoreOutput(
            name=scores,
            description=f"one score for each {each}",
            labels=(LabelFile("labels.txt", request.labels), *request.translations),
            value_range=(0.0, 1.0) if scores == "probabilities" else None,
        ),
    )
    write_metadata(path, metadata, path)
