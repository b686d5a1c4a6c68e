"""Every task of the package: what it names is there, takes it, and gives what it says."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import resnet_edge
from resnet_edge.workers.task import Task

PACKAGE = Path(resnet_edge.__file__).parent
FUNCTION = re.compile(r"resnet_edge(\.\w+)+:\w+")


def modules() -> dict[str, ast.Module]:
    """Every module of the package, parsed; most of them import frameworks."""
    return {
        ".".join(("resnet_edge", *file.relative_to(PACKAGE).with_suffix("").parts)): ast.parse(
            file.read_text("utf-8")
        )
        for file in PACKAGE.rglob("*.py")
    }


MODULES = modules()


def tasks() -> Iterator[tuple[str, str]]:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(word.arg == "runs" for word in node.keywords):
                yield module, node.name


TASKS = list(tasks())


def loaded(module: str, name: str) -> type[Task[Any]]:
    task: type[Task[Any]] = getattr(importlib.import_module(module), name)
    return task


def function_of(task: type[Task[Any]]) -> ast.FunctionDef:
    module, _, name = task.runs.partition(":")
    (function,) = (n for n in MODULES[module].body if isinstance(n, ast.FunctionDef) and n.name == name)
    return function


@pytest.mark.parametrize(("module", "name"), TASKS, ids=[name for _, name in TASKS])
class TestEveryTask:
    def test_it_is_given_by_keyword_and_stays_as_it_is(self, module: str, name: str) -> None:
        (definition,) = (n for n in MODULES[module].body if isinstance(n, ast.ClassDef) and n.name == name)
        assert ast.unparse(definition.decorator_list[0]) == "dataclass(frozen=True, kw_only=True)"

    def test_its_function_takes_it_and_gives_its_reply(self, module: str, name: str) -> None:
        task = loaded(module, name)
        function = function_of(task)
        takes, gives = function.args.args[0].annotation, function.returns
        assert takes is not None
        assert gives is not None
        assert (ast.unparse(takes), ast.unparse(gives)) == (name, task.reply_type().__name__)

    def test_what_it_reads_and_writes_are_texts_in_it(self, module: str, name: str) -> None:
        task = loaded(module, name)
        assert dataclasses.is_dataclass(task)
        for path in (*task.reads, *task.writes):
            hint: Any = task
            for part in path.split("."):
                hint = single(typing.get_type_hints(hint)[part])
            assert hint is str, path

    def test_somebody_asks_for_it(self, module: str, name: str) -> None:
        callers = [
            where
            for where, tree in MODULES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (name, f"{name}.of")
        ]
        assert callers

    def test_who_asks_for_it_names_its_fields(self, module: str, name: str) -> None:
        by_place = [
            f"{where}:{node.lineno}"
            for where, tree in MODULES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
            if node.args or any(word.arg is None for word in node.keywords)
        ]
        assert by_place == []


def single(hint: Any) -> Any:
    """What there may be one or many of, or none."""
    parts = [part for part in typing.get_args(hint) if part not in (type(None), ...)]
    return single(parts[0]) if parts else hint


def test_no_function_is_named_by_a_text_but_in_its_task() -> None:
    named = {
        node.value
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and FUNCTION.fullmatch(node.value)
    }
    assert named == {loaded(module, name).runs for module, name in TASKS}


HANDS_ON = {"resnet_edge.workers.hosts.serve", "resnet_edge.workers.cluster.node"}
"""What a task of another machine names."""


def test_a_worker_is_asked_by_tasks_alone() -> None:
    calls = [
        f"{where}:{node.lineno}"
        for where, tree in MODULES.items()
        for node in ast.walk(tree)
        if where not in HANDS_ON
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call"
        if ast.unparse(node.func.value).lower().endswith("worker")
    ]
    assert calls == []


@dataclass(frozen=True, kw_only=True)
class Part:
    path: str


@dataclass(frozen=True, kw_only=True)
class Join(Task[int], runs="a:b", reads=("parts.path", "labels", "more"), writes=("out",)):
    parts: tuple[Part, ...]
    labels: str | None
    more: tuple[str, ...]
    out: str


def test_files_are_found_through_values_and_tuples() -> None:
    task = Join(parts=(Part(path="a"), Part(path="b")), labels=None, more=("c", "d"), out="e")
    assert (list(task.files_read()), list(task.files_written())) == (["a", "b", "c", "d"], ["e"])
    assert Join.reply_type() is int
