"""Makes docs/cli.md and docs/python.md: `python -m tests.docs.reference`."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click

import resnet_edge
from resnet_edge.api.checked import ValueRule, Within, hints_of
from resnet_edge.cli import main
from resnet_edge.core.errors import ResnetEdgeError

DOCS = Path(__file__).resolve().parents[2] / "docs"
GENERATED = "<!-- made by `python -m tests.docs.reference` -->"


def cli_page() -> str:
    """The help of every command, 100 columns wide."""
    lines = ["# The command line", "", GENERATED, ""]
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        lines += _help(name, command)
        if isinstance(command, click.Group):
            for each, under in command.commands.items():
                lines += _help(f"{name} {each}", under)
    return "\n".join(lines)


def _help(name: str, command: click.Command) -> list[str]:
    context = click.Context(
        command, info_name=f"resnet-edge {name}", max_content_width=100, terminal_width=100
    )
    return [f"## {name}", "", "```text", command.get_help(context), "```", ""]


def python_page() -> str:
    """Every function with its signature, the reports that they give, and the errors."""
    lines = [
        "# From Python",
        "",
        GENERATED,
        "",
        "`import resnet_edge` loads nothing heavy. Every function takes the options of its command as",
        "keywords of the same names ([cli.md](cli.md) says what they mean), prints nothing, raises the",
        "errors below, and may be called from a thread. `on_progress` is called with a",
        "`resnet_edge.Progress`. Names (of formats, backends and so on) come one by one, or in one text",
        "with commas.",
        "",
    ]
    for name in resnet_edge.__all__:
        if inspect.isfunction(getattr(resnet_edge, name)):
            lines += [f"## resnet_edge.{name}", "", *_function(getattr(resnet_edge, name))]
    lines += ["## resnet_edge.Progress", "", *_class(resnet_edge.Progress)]
    lines += [
        "## resnet_edge.reports",
        "",
        "Frozen dataclasses; a notebook and `print` show a table, and below it the answer.",
        "",
    ]
    for name in resnet_edge.reports.__all__:
        lines += [f"### {name}", "", *_class(getattr(resnet_edge.reports, name))]
    lines += [
        "## resnet_edge.errors",
        "",
        "| error | when | exit code of the command |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{name}` | {_first(error)} | {error.exit_code} |" for name, error in _errors()]
    return "\n".join([*lines, ""])


def _function(function: Any) -> Iterator[str]:
    signature = inspect.signature(function)
    hints = hints_of(function)
    parts = [f"    {_parameter(each, hints[each.name])}" for each in signature.parameters.values()]
    if any(each.kind is inspect.Parameter.KEYWORD_ONLY for each in signature.parameters.values()):
        place = sum(each.kind is not inspect.Parameter.KEYWORD_ONLY for each in signature.parameters.values())
        parts.insert(place, "    *,")
    yield from (
        "```python",
        f"{function.__name__}(",
        *parts,
        f") -> {signature.return_annotation}",
        "```",
        "",
    )
    yield from (inspect.getdoc(function) or "", "")


def _parameter(parameter: inspect.Parameter, hint: Any) -> str:
    """With its bounds or choices, where it has such, as a comment."""
    default = "" if parameter.default is inspect.Parameter.empty else f" = {_default(parameter.default)}"
    parts = (hint, *get_args(hint))
    kinds = [one for one in parts if get_origin(one) is Literal or (_rule(one, Within) is not None)]
    allowed = f"  # {_allowed(kinds[0])}" if kinds else ""
    annotation = str(parameter.annotation).replace("Shape", "tuple[int, int, int]")
    for held in (one for one in parts if _rule(one, ValueRule) is not None):
        alias, *optional = annotation.partition(" | ")
        annotation = "".join((_spelled(get_args(held)[0]), *optional))
    if kinds and get_origin(kinds[0]) is Annotated:
        alias, *optional = annotation.partition(" | ")
        annotation = "".join((get_args(kinds[0])[0].__name__, *optional))
    return f"{parameter.name}: {annotation}{default},{allowed}"


def _rule(hint: Any, kind: type) -> Any:
    """What a hint says of values, if it is of that kind."""
    metadata = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((each for each in metadata if isinstance(each, kind)), None)


def _spelled(hint: Any) -> str:
    """A type as a signature spells it."""
    if hint is types.NoneType:
        return "None"
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(map(_spelled, get_args(hint)))
    return re.sub(r"[\w.]+\.", "", str(hint)) if get_args(hint) else str(hint.__name__)


def _allowed(hint: Any) -> str:
    first, *rest = get_args(hint)
    if get_origin(hint) is Literal:
        return ", ".join((first, *rest))
    return str(rest[0].words).removeprefix(",").strip()


def _default(value: Any) -> str:
    return "silent" if callable(value) else repr(value)


def _class(kind: type) -> Iterator[str]:
    yield from (_joined(inspect.getdoc(kind) or ""), "")
    yield from (f"- `{field.name}: {field.type}`" for field in dataclasses.fields(kind))
    for name, member in inspect.getmembers(kind):
        if name.startswith("_") or name in {field.name for field in dataclasses.fields(kind)}:
            continue
        call = f"{name}{_call(member)}" if inspect.isfunction(member) else name
        yield f"- `{call}`: {_joined(inspect.getdoc(member) or '')}"
    yield ""


class _Spelled(str):
    """An annotation that a signature shows as it is."""

    def __repr__(self) -> str:
        return str(self)


def _call(method: Any) -> inspect.Signature:
    """With what stands behind the names of types that only our files know."""
    hints = {name: _Spelled(_spelled(hint)) for name, hint in hints_of(method).items()}
    signature = inspect.signature(method)
    parameters = [
        each.replace(annotation=hints.get(each.name, each.empty)) for each in signature.parameters.values()
    ]
    return signature.replace(parameters=parameters, return_annotation=hints["return"])


def _errors() -> Iterator[tuple[str, type[ResnetEdgeError]]]:
    for name in resnet_edge.errors.__all__:
        yield name, getattr(resnet_edge.errors, name)


def _first(kind: type) -> str:
    return _joined(inspect.getdoc(kind) or "").partition("; ")[0].rstrip(".")


def _joined(text: str) -> str:
    return re.sub(r"\s+", " ", text)


PAGES = {"cli.md": cli_page, "python.md": python_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (DOCS / file).write_text(page(), "utf-8")
