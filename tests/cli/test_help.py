"""What every command has: help that tells, --json, --quiet, and one line for wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from resnet_edge import __version__
from resnet_edge.cli import main

CONTEXT = click.Context(main)
COMMANDS = sorted(main.list_commands(CONTEXT))


def command(name: str) -> click.Command:
    first, _, second = name.partition(" ")
    subcommand = main.get_command(CONTEXT, first)
    assert subcommand is not None
    return subcommand.commands[second] if isinstance(subcommand, click.Group) and second else subcommand


def run_alone() -> list[str]:
    """Every command that does something, those of a group as `host prepare`."""
    groups = {name: each.commands for name in COMMANDS if isinstance(each := command(name), click.Group)}
    under = [f"{name} {each}" for name, commands in groups.items() for each in commands]
    return [*(name for name in COMMANDS if name not in groups), *under]


def test_the_program_lists_every_command_with_a_sentence() -> None:
    listed = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    for name in COMMANDS:
        sentence = command(name).get_short_help_str(limit=200)
        assert sentence
        assert sentence in listed, f"{name}: cut off where 80 columns end"


@pytest.mark.parametrize("name", run_alone())
def test_a_command_is_named_like_its_file_and_has_the_common_options(name: str) -> None:
    assert command(name).name == name.split()[-1]
    options = {option for parameter in command(name).params for option in parameter.opts}
    assert {"--json", "--quiet"} <= options


@pytest.mark.parametrize("name", run_alone())
def test_every_option_has_help_or_a_default_that_tells(name: str) -> None:
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.show_default, f"{name} {parameter.opts}"


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["--no-such-option"], ["train", "--no-such-option"]]
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "No such" in result.stderr or "there is no command" in result.stderr


def test_the_module_runs_like_the_script_and_knows_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resnet_edge", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"resnet-edge, version {__version__}"


@pytest.mark.slow
def test_doctor_opens_every_backend_and_prints_json_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resnet_edge", "doctor", "--json"], capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    assert set(report) == {"machine", "sandbox", "versions", "backends", "host"}
    assert report["host"] == ""  # this machine
    states = {backend["backend"]: backend["devices"] for backend in report["backends"]}
    for name in ("litert", "onnxruntime"):
        (cpu,) = [state for state in states[name] if state["device"] == "cpu"]
        assert cpu["status"] == "opens", cpu
    assert done.returncode == 0, done.stderr
    assert report["machine"]["usable_cores"] >= 1
    assert report["versions"]["resnet-edge"] == __version__
