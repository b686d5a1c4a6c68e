"""Every function takes the options of its command, by the same names and with the same defaults."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
import pytest

import resnet_edge
from resnet_edge.api.names import words
from resnet_edge.cli import main

GROUPS = {"host"}


def commands() -> list[str]:
    """All of them; those of a group as `host prepare`."""
    context = click.Context(main)
    names = [name for name in main.list_commands(context) if name not in GROUPS]
    for name in GROUPS:
        group = main.get_command(context, name)
        assert isinstance(group, click.Group)
        names += (f"{name} {each}" for each in group.commands)
    return names


def command_of(name: str) -> click.Command:
    first, _, second = name.partition(" ")
    command = main.get_command(click.Context(main), first)
    assert command is not None
    return command.commands[second] if isinstance(command, click.Group) else command


def function_of(name: str) -> Callable[..., Any]:
    """`host_prepare` of `host prepare`."""
    function: Callable[..., Any] = getattr(resnet_edge, name.replace(" ", "_"))
    return function


def parameters_of(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function_of(name)).parameters


COMMANDS = commands()
FOR_A_TERMINAL = {"as_json", "quiet"}
NO_MEASUREMENT = {
    "verify": {"golden"},
    "bench": {"compare", "stored", "cluster"},
    "search": {"stored", "pick"},
}
"""Options with which the command does something else: `golden.replay`, `compare`, load_report and what it
gives; or with which it refuses to do anything."""
OURS = {"on_progress", "command"}


def options(name: str) -> dict[str, click.Parameter]:
    command = command_of(name)
    without = FOR_A_TERMINAL | NO_MEASUREMENT.get(name, set())
    return {p.name: p for p in command.params if p.name is not None and p.name not in without}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_function_has_the_options_of_its_command(name: str) -> None:
    parameters = parameters_of(name)
    assert set(parameters) - OURS == set(options(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_not_given_is_as_on_the_command_line(name: str) -> None:
    """None counts as not given, where it matters whether it was."""
    context = click.Context(command_of(name))
    parameters = parameters_of(name)
    for key, option in options(name).items():
        ours = parameters[key].default
        if ours in (None, inspect.Parameter.empty) or isinstance(option, click.Argument):
            continue
        theirs: Any = option.process_value(context, option.get_default(context))
        if isinstance(ours, tuple):
            theirs = words(theirs) if theirs else ()
        assert (ours, key) == (type(ours)(theirs), key)


def test_the_import_loads_nothing_heavy_and_every_name_is_there() -> None:
    script = (
        "import sys, resnet_edge\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'onnx', 'onnxruntime', 'click', 'rich', 'msgspec'}\n"
        "print(sorted(heavy & set(sys.modules)), resnet_edge.errors.UsageError.__name__)\n"
        "modules = {'errors', 'reports'}\n"
        "print(all(callable(getattr(resnet_edge, n)) or n in modules for n in resnet_edge.__all__))\n"
        "print(sorted({'numpy', 'keras', 'tensorflow', 'onnx', 'onnxruntime'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["[] UsageError", "True", "[]"], "")


def test_an_unknown_attribute_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'quantize'"):
        getattr(resnet_edge, "quantize")  # noqa: B009  # that mypy knows it is not there is another test
