"""JSON files that came from somewhere: read in one way, with one line for whatever is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from resnet_edge.core.errors import DataError, ResnetEdgeError, first_line
from resnet_edge.core.files.pipes import check_no_pipe

T = TypeVar("T")

LARGEST = 16 << 20
"""Bytes. A byte of JSON takes up to 24 in memory (`{},` is an empty dict of 64 bytes and a pointer), so that
no more than this fits core.budget.PROMISE. The report of a ResNet-152 has 2 MB."""

DEEPEST = 100
"""Lists and objects within each other. Ours have ten; what a library still reads may be more than
what is written in Python, as dataclasses.asdict, walks through."""

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HUGE = re.compile(rb"(?<![\w.+])\d{20,}(?![\d.eE])")
"""A whole number that may be beyond 64 bits: Python reads it, and no float, array or other program does."""
_ALIKE = bytes.maketrans(b"[]", b"{}")
_NO_BRACKET = bytes(code for code in range(256) if code not in b"[]{}")


def read_json(path: Path, kind: Any, what: str, fix: str, raised: type[ResnetEdgeError] = DataError) -> Any:
    """The document in `path`, as a value of the type `kind`.

    Raises `raised`, in one line: the file is no `what`, and `fix` is the way out.
    """
    try:
        content = bounded(path)
        if content is None:
            raise raised(f"{path} has more bytes than any {what} ({LARGEST:,}): {fix}")
        bare = _TEXT.sub(b"", content)
        if _HUGE.search(bare):
            raise raised(f"{path} is no {what} (a whole number in it has 20 digits or more): {fix}")
        if _is_deep(bare):
            msgspec.json.decode(content)  # which says what is wrong with brackets that do not match
            raise RecursionError
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise raised(f"{path} cannot be read ({error.strerror}): {fix}") from error
    except RecursionError as error:
        raise raised(f"{path} is no {what} (it is nested too deeply): {fix}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise raised(f"{path} is no {what} ({first_line(error)}): {fix}") from error


def bounded(path: Path) -> bytes | None:
    """What is in a file; None where that is more than LARGEST, whatever its size is said to be. Raises
    OSError."""
    check_no_pipe(path)
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    return content if len(content) <= LARGEST else None


def _is_deep(bare: bytes) -> bool:
    """Of a document without its texts: whether lists and objects are nested more than DEEPEST times, or
    brackets are without their other ends. Each pass takes the innermost away, at the speed of C."""
    brackets = bare.translate(_ALIKE, delete=_NO_BRACKET)
    for _ in range(DEEPEST):
        if not brackets:
            break
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)


def converted_to(
    kind: type[T], value: Any, path: Path, what: str, fix: str, raised: type[ResnetEdgeError] = DataError
) -> T:
    """`value`, a part of the document in `path`, as a value of the type `kind`. Raises as `read_json`."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise raised(f"{path} is no {what} ({first_line(error)}): {fix}") from error


def object_in(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; an empty one where there is none: then it says nothing."""
    try:
        document: dict[str, Any] = read_json(path, dict[str, Any], "JSON object", "fix it")
    except DataError:
        return {}
    return document
