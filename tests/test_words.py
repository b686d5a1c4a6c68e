"""The words of the house, as a test: a name says what the value is, and no participle stands for a noun."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import resnet_edge

PACKAGE, TESTS = Path(resnet_edge.__file__).parent, Path(__file__).parent
VAGUE = frozenset({"told", "found", "made", "asked", "looked", "story"})
"""What was told or found, without a word of what it is: `verdicts`, `report`, `pairs`, `problems` say it."""
ALLOWED = {
    "made_by": "a key of `inspect --json`, and so of the contract",
}


def bound(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that a file binds, with their lines: of variables, parameters, attributes, functions, classes and
    imports."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("test_"):  # the name of a test is a sentence
                    yield name, node.lineno
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name, node.lineno
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias():
                yield (node.asname or node.name).rpartition(".")[2], node.lineno


def vague(source: str) -> list[tuple[str, int]]:
    """Bound names of which a word between underscores is vague."""
    names = bound(ast.parse(source))
    return [(name, line) for name, line in names if VAGUE & set(name.lower().split("_"))]


@cache
def vague_in(file: Path) -> list[tuple[str, int]]:
    """The same of a file, which is read once."""
    return vague(file.read_text("utf-8"))


def files(room: str) -> list[Path]:
    roots = (PACKAGE, TESTS, TESTS.parent) if room == "benchmarks" else (PACKAGE, TESTS)
    return [file for root in roots for file in sorted((root / room).rglob("*.py"))]


ROOMS = sorted(
    {
        folder.name
        for root in (PACKAGE, TESTS)
        for folder in root.iterdir()
        if folder.is_dir() and any(folder.rglob("*.py"))
    }
)


@pytest.mark.parametrize("room", ROOMS)
def test_names_of_a_room_say_what_the_value_is(room: str) -> None:
    wrong = [
        f"{file.name}:{line} {name}"
        for file in files(room)
        for name, line in vague_in(file)
        if name not in ALLOWED
    ]
    assert wrong == []


def test_files_beside_the_rooms_too() -> None:
    beside = [file for root in (PACKAGE, TESTS) for file in sorted(root.glob("*.py"))]
    wrong = [f"{file.name}:{line} {name}" for file in beside for name, line in vague_in(file)]
    assert wrong == []


def test_every_exception_is_of_a_name_that_is_there() -> None:
    everywhere = [file for room in ROOMS for file in files(room)]
    assert {name for file in everywhere for name, _ in vague_in(file)} >= ALLOWED.keys()


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "def told(): ...",
        "def _told_in(file): ...",
        "lambda asked: 0",
        "class _Made: ...",
        "self._found = 0",
        "import story",
        "[0 for looked in range(3)]",
        "match x:\n    case [made, *_]: ...",
        "with open(p) as found: ...",
    ],
)
def test_a_vague_name_is_seen_however_it_is_bound(source: str) -> None:
    assert len(vague(source)) == 1


def test_sentences_and_other_words_pass() -> None:
    assert vague('"""What was found is told."""\ndef test_what_is_found(): ...\nfounder = history = 0') == []
