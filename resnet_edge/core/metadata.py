"""What a TFLite file tells an app of itself (TFLite metadata, metadata_schema.fbs 1.5.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = Literal["RGB", "GRAYSCALE", "unknown"]


@dataclass(frozen=True)
class LabelFile:
    """A file of class names inside a model file, in the order of its outputs; `locale` is a BCP 47 tag of
    the language ("de", "pt-BR"), empty in the file for all others."""

    name: str
    labels: tuple[str, ...]
    locale: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageInput:
    """The image: `width` x `height`, in `colour_space`. The app gives `(pixel - mean) / std`; both are
    empty where nothing is said of it, as with an integer input, which takes pixels as they are.
    `value_range` are the least and the largest value that the input takes, None where nothing tells."""

    name: str
    description: str
    width: int
    height: int
    colour_space: Colour
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    value_range: tuple[float, float] | None = (0.0, 255.0)


@dataclass(frozen=True)
class ScoreOutput:
    """One score for each class; `value_range` None: logits, of no fixed range."""

    name: str
    description: str
    labels: tuple[LabelFile, ...]
    value_range: tuple[float, float] | None = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """The metadata of an image classifier with one input and one output; text that is not there is empty.
    `min_parser_version`: the oldest parser that knows all its fields, "" before it is written."""

    name: str
    description: str
    version: str
    author: str
    license: str
    image: ImageInput
    scores: ScoreOutput
    min_parser_version: str = ""
