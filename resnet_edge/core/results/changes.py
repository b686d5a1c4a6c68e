"""Which answers differ: those of the model from the labels, and those of each file from the model's."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[int, int, int]
"""Two classes that were taken for each other, and on how many images."""
MOST_PAIRS = 400
"""Of one file, the most frequent: all of them where there are no more than 20 classes."""


@dataclass(frozen=True, kw_only=True)
class FileAnswers:
    """Of one artifact at one place, on all images of the run. `pairs`: the model's answer, the artifact's,
    which is another, and on how many images, the most frequent first; `changed` counts them all. `classes`:
    a label, on how many of its images the model alone is right (lost), and the artifact alone (gained); those
    of none are left out, and all are without labels."""

    artifact: str
    backend: str
    device: str
    changed: int
    pairs: tuple[Pair, ...]
    classes: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageAnswer:
    """What one artifact at one place says of an image."""

    artifact: str
    backend: str
    device: str
    answer: int


@dataclass(frozen=True, kw_only=True)
class ChangedImage:
    """An image on which an artifact answers otherwise than the model, whose own answer is `reference`.

    `name` is that of its file in the folder, or the number of its row from 0. `margin`: of what the model
    gives to the two answers together, how much more its own has, from 0, a toss-up, to 1; the largest where
    artifacts give several answers. `picture` is a data URI of a small PNG or JPEG, empty where there is none;
    it stands in pages alone, in no document."""

    name: str
    label: int | None
    reference: int
    margin: float
    answers: tuple[ImageAnswer, ...]
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """On `n` images. By class: `images` has so many with its label, on `right` of them the model says so, and
    `answered` is how often the model says it; the first two are empty without labels. `pairs`: a label, the
    model's answer, which is another, and on how many images. On `changed` images some artifact answers
    otherwise than the model; `worst` are those with the largest margins, at most MOST_IMAGES."""

    n: int
    images: tuple[int, ...]
    right: tuple[int, ...]
    answered: tuple[int, ...]
    pairs: tuple[Pair, ...]
    artifacts: tuple[FileAnswers, ...]
    changed: int
    worst: tuple[ChangedImage, ...]
