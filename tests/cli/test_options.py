"""Options that several commands share: what they take, and what they refuse in one line."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from resnet_edge.api.checked import Percentage
from resnet_edge.cli._options import backends_option, given, shape, value_type


@click.command()
@backends_option("litert", "where")
@click.option("--input-shape", callback=shape)
@click.option("--max-drop", type=value_type(Percentage), default=0.5)
@click.option("--quiet", is_flag=True)
def command(**options: Any) -> None:
    click.echo(repr(sorted(given().items())))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, words)
    return done.exit_code, done.output


def test_only_what_was_named_is_given() -> None:
    assert run() == (0, "[]\n")
    assert run("--quiet", "--max-drop", "0.5") == (0, "[('max_drop', 0.5)]\n")
    assert run("--backends", "litert")[1] == "[('backends', 'litert')]\n", "the default, but named"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--input-shape", "224,224"), "give three numbers, as in 224,224,3"),
        (("--input-shape", "a,b,c"), "give three numbers"),
        (("--input-shape", "224,0,3"), "sizes are positive"),
        (("--max-drop", "nan"), "nan is not a finite number"),
        (("--max-drop", "inf"), "inf"),
        (("--max-drop", "-1"), "-1"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], message: str) -> None:
    code, output = run(*words)
    assert code == 2
    assert message in " ".join(output.split())
