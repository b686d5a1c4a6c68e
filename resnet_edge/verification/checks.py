"""Runs in the parent. What must hold of the files before and after they are verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.input_bytes import brightest
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.report import Failure
from resnet_edge.verification.task import IdentifiedFiles

OF_PIXELS = frozenset({"rescaled", "preprocessing", "channel_scales"})
"""What a first layer is accused of that has its preprocessing in the reference, and before it here."""


def check_expected(artifacts: tuple[Artifact, ...], expected: dict[Path, str]) -> None:
    """A report of another run beside a file promises what was never measured."""
    for artifact in artifacts:
        known = expected.get(Path(artifact.path))
        if known not in (None, artifact.sha256):
            raise ArtifactError(
                f"{artifact.path} is not the file that the report beside it speaks of (its SHA-256 is "
                "another): convert again, or name the file itself"
            )


def fitting(identified: IdentifiedFiles, facts: ModelFacts) -> IdentifiedFiles:
    """The artifacts that take and give what the reference does; each of the others is a failure of its own.
    Raises ArtifactError where none is left."""
    wrong = [_misfit(artifact, facts) for artifact in identified.artifacts]
    if not any(wrong):
        return identified
    if all(wrong):
        raise ArtifactError(wrong[0])
    kept = [at for at, text in enumerate(wrong) if not text]
    failures = [
        Failure(artifact.path, text.removeprefix(f"{artifact.path} "))
        for artifact, text in zip(identified.artifacts, wrong, strict=True)
        if text
    ]
    return replace(
        identified,
        artifacts=tuple(identified.artifacts[at] for at in kept),
        targets=tuple(identified.targets[at] for at in kept),
        min_sqnr_db=tuple(identified.min_sqnr_db[at] for at in kept),
        beside=tuple(identified.beside[at] for at in kept),
        copies=tuple(identified.copies[at] for at in kept),
        contents=tuple(identified.contents[at] for at in kept),
        failures=(*identified.failures, *failures),
    )


def _misfit(artifact: Artifact, facts: ModelFacts) -> str:
    """Why an artifact cannot be compared with the reference; empty where it can."""
    if not artifact.inputs:
        return ""
    outputs = artifact.outputs[0].shape[-1]
    if outputs not in (None, facts.head.outputs):
        return (
            f"{artifact.path} gives {outputs} scores per image, and {facts.source} {facts.head.outputs}: "
            "name the model that it was made from with --reference"
        )
    shape = artifact.inputs[0].shape[1:]
    if artifact.inputs[0].channels_first(facts.input_shape):
        return ""
    if any(a not in (None, b) for a, b in zip(shape, facts.input_shape, strict=True)):
        return _other_images(artifact.path, tuple(shape), facts)
    return ""


def transposed(identified: IdentifiedFiles, facts: ModelFacts) -> list[str]:
    """A note for each artifact that takes its channels first, and is given the images so."""
    height, width, channels = facts.input_shape
    return [
        f"{artifact.path} takes its channels first, {channels}x{height}x{width} (NCHW): it is given the "
        "images so, and an app has to do the same"
        for artifact in identified.artifacts
        if artifact.inputs and artifact.inputs[0].channels_first(facts.input_shape)
    ]


def _other_images(path: str, shape: tuple[int | None, ...], facts: ModelFacts) -> str:
    have, want = ("x".join(map(str, each)) for each in (shape, facts.input_shape))
    return (
        f"{path} takes images of {have} (NHWC), and {facts.source} of {want}: name the model that it was "
        "made from with --reference"
    )


def check_unchanged(identified: IdentifiedFiles) -> None:
    """Raise ArtifactError where a file is not what it was when the run began."""
    for artifact, beside in zip(identified.artifacts, identified.beside, strict=True):
        try:
            same = sha256_of(Path(artifact.path), *map(Path, beside)) == artifact.sha256
        except OSError:
            same = False
        if not same:
            raise ArtifactError(
                f"{artifact.path} changed while it was being verified: verify it again when it is whole"
            )


def check_other(
    identified: IdentifiedFiles, facts: ModelFacts, content: str, first: Mapping[str, str]
) -> None:
    """Raise UsageError where an artifact is the reference, and runs where that does: it agrees with
    itself. It is the reference, too, where it computes the same `content`, whatever its metadata say."""
    for artifact, targets, computes in zip(
        identified.artifacts, identified.targets, identified.contents, strict=True
    ):
        own = all(
            (target.backend, target.device) == (first.get(artifact.format), "cpu") for target in targets
        )
        if own and (artifact.sha256 == facts.sha256 or (content and computes == content)):
            raise UsageError(
                f"{artifact.path} is the reference itself, and agrees with itself whatever it gives: name "
                "the model that it was made from with --reference, or other --backends"
            )


def unfed(explanations: Sequence[Explanation], model: str) -> tuple[str, ...]:
    """A note where artifacts may take what the model takes, and were given pixels."""
    names = [
        each.artifact for each in explanations if any(f.cause in OF_PIXELS for f in each.contradictions[:1])
    ]
    if not names:
        return ()
    return (f"if {', '.join(names)} take what {model} takes, and no pixels, say so: --feed preprocessed",)


def clipped(artifacts: Sequence[Artifact], model: str) -> tuple[str, ...]:
    """Notes on artifacts that were given pixels, and whose integer inputs hold none as bright as white."""
    notes = []
    for artifact in artifacts:
        most = brightest(artifact.inputs[0]) if artifact.inputs else None
        if most is not None:
            notes.append(
                f"the input of {Path(artifact.path).name} ({artifact.inputs[0].dtype}) holds nothing above "
                f"{most:.4g}, by its scale and zero point, and brighter pixels were clipped to that: if it "
                f"takes what {model} takes, say so: --feed preprocessed"
            )
    return tuple(notes)


def layers_apart(names: str, model: str) -> str:
    """A note on artifacts whose integer inputs stand for prepared pixels, of a model that prepares them
    itself."""
    return (
        f"{names}: bytes were given to it as an app does, and by its input's scale they stand for prepared "
        f"pixels, where {model} prepares them itself: only its answers were compared"
    )


def ungolden(names: Sequence[str]) -> tuple[str, ...]:
    """A note on what is left out of golden vectors: they hold images, and no preprocessing."""
    if not names:
        return ()
    return (
        f"{', '.join(dict.fromkeys(names))} takes prepared pixels, and golden vectors hold images: it is "
        "left out of them; convert with --preprocess, which puts that into the file",
    )
