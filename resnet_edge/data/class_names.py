"""Runs in the parent. What the classes are called: labels.txt, one name per line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from resnet_edge.core.errors import DataError
from resnet_edge.core.files.documents import LARGEST, bounded
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.printable import misleading_character, printable
from resnet_edge.data.images_task import Images


def class_names_in(path: Path) -> tuple[str, ...]:
    """The class names in a text file, one per line; two classes may share a name, as in
    ImageNet ("crane"). Raises DataError."""
    try:
        content = bounded(path)
        if content is None:
            raise DataError(f"{path} has more bytes than any list of class names ({LARGEST:,}): name another")
        names = tuple(content.decode("utf-8-sig").splitlines())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name another") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file in UTF-8 ({error.reason}): save it as one") from error
    if not names:
        raise DataError(f"{path} is empty: one class name per line")
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise DataError(f"{path}: line {number} is empty: one class name per line")
    check_names(names, str(path))
    return names


def check_names(names: Iterable[str], whose: str) -> None:
    """Raise DataError for a name that would show as another one, or break a line of labels.txt."""
    for name in names:
        if fault := misleading_character(name):
            raise DataError(
                f"{whose} has a class called {printable(name)}: {fault}; rename it without that character"
            )


def check_count(names: tuple[str, ...], facts: ModelFacts, whose: str) -> None:
    """Raise DataError unless there are as many names as the model has outputs, or none."""
    if names and facts.head.kind == "embedding" and whose == "--labels":
        raise DataError(f"{whose} names classes, and {facts.source} gives an embedding: leave it out")
    if names and facts.head.kind != "embedding" and len(names) != facts.classes:
        raise DataError(
            f"{whose} names {len(names)} classes, and {facts.source} has {facts.classes}: one name "
            "for each, in the order of the model's outputs"
        )


def chosen_names(given: tuple[str, ...], facts: ModelFacts, images: Images) -> tuple[str, ...]:
    """The names that the user gave, else the model's, else the data's; empty where nothing names them, and
    for an embedding.

    Raises DataError where the data numbers the same classes in another order than the model:
    every label would be wrong.
    """
    if facts.head.kind == "embedding":
        return ()
    model, data = given or facts.class_names, images.class_names
    check_count(data, facts, images.source)
    if images.labels and model and model != data and sorted(model) == sorted(data):
        raise DataError(
            f"{images.source} has the classes of {facts.source} in another order ({_first(data)} where the "
            f"model has {_first(model)}): name the sub-folders so that they sort as the model's classes do"
        )
    return model or data


def as_lines(names: tuple[str, ...]) -> str:
    """The text of labels.txt: every name on a line, whatever white space it holds."""
    return "".join(" ".join(name.split()) + "\n" for name in names)


def _first(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
