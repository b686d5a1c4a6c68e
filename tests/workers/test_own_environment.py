"""An environment beside ours: where it is, what is in it, and how to make it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from resnet_edge.core.errors import MissingDependency
from resnet_edge.workers.own_environment import OwnEnvironment

TOOL = OwnEnvironment(
    name="tool",
    title="The Tool",
    distribution="the-tool",
    variable="RESNET_EDGE_TEST_TOOL",
    requirements="the-tool==1.2",
)


def test_it_is_inside_of_ours_unless_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(TOOL.variable, raising=False)
    assert TOOL.folder == Path(sys.prefix) / "share/resnet-edge/tool"
    monkeypatch.setenv(TOOL.variable, str(tmp_path))
    assert TOOL.program("tool") == tmp_path / "bin/tool"


@pytest.mark.parametrize("lacking", ["everything", "the program"])
def test_what_is_missing_is_told_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: str
) -> None:
    monkeypatch.setenv(TOOL.variable, str(tmp_path))
    if lacking == "the program":
        (tmp_path / "lib/python3.11/site-packages/the_tool-1.2.dist-info").mkdir(parents=True)
    with pytest.raises(
        MissingDependency, match=r"user: The Tool is not installed .* --no-deps the-tool==1\.2"
    ):
        TOOL.require("user")


def test_a_python_that_cannot_be_reached_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in another user's home; root reaches that, and so a name does it here that no file can have."""
    monkeypatch.setenv(TOOL.variable, str(tmp_path))
    (tmp_path / "lib/python3.11/site-packages/the_tool-1.2.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("x" * 300)
    with pytest.raises(MissingDependency, match=r"user: The Tool is not installed"):
        TOOL.require("user")


def test_it_tells_the_version_that_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(TOOL.variable, str(tmp_path))
    (tmp_path / "lib/python3.11/site-packages/the_tool-1.2.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    assert TOOL.require("user") == "1.2"
