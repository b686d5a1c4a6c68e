"""The README and the pages of docs/ are run: their console blocks, their links, and that they know every
command.

In a block marked ```console, each line that begins with `$ ` is a command; the other lines
are what it prints, for people, and are not compared. The commands of all blocks run in
order of a page in one empty folder. A block that cannot run here has the comment
`<!-- test: skip (reason) -->` on the line before it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
RUN = [page for page in PAGES if "```console" in page.read_text("utf-8")]
SKIP = re.compile(r"<!-- test: skip \((.+)\) -->")
FENCE = re.compile(r"^```(\w*)\s*$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def blocks(text: str) -> list[tuple[int, str, str | None, list[str]]]:
    """(line number, language, reason to skip it, lines) of every fenced block."""
    blocks_of: list[tuple[int, str, str | None, list[str]]] = []
    lines = text.splitlines()
    inside = False
    for number, line in enumerate(lines, start=1):
        fence = FENCE.match(line)
        if fence and not inside:
            skip = SKIP.search(lines[number - 2]) if number > 1 else None
            blocks_of.append((number, fence[1], skip[1] if skip else None, []))
        elif inside and not fence:
            blocks_of[-1][3].append(line)
        inside = inside != bool(fence)
    assert not inside, "a block is not closed"
    return blocks_of


def commands(text: str) -> list[tuple[int, str]]:
    """(line number of the block, command) of every command that is to be run. One whose line ends in a
    backslash goes on in the next, as in a shell."""
    return [
        (number, command)
        for number, language, skip, lines in blocks(text)
        if language == "console" and skip is None
        for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", "\n".join(lines), re.MULTILINE)
    ]


def test_blocks_are_told_apart() -> None:
    text = "```console\n$ a\nout\n$ b \\\n  c\n```\n<!-- test: skip (setup) -->\n```console\n$ c\n```\n"
    text += "```python\n$ d\n```\n"
    assert commands(text) == [(1, "a"), (1, "b \\\n  c")]
    assert [skip for _, _, skip, _ in blocks(text)] == [None, "setup", None]


@pytest.mark.parametrize("name", ["README.md", "convert.md", "ci.md", "inspect.md"])
def test_a_page_has_commands_to_run(name: str) -> None:
    (page,) = (page for page in PAGES if page.name == name)
    assert commands(page.read_text("utf-8"))


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 150


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_command_of_a_page_works(page: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line, command in commands(page.read_text("utf-8")):
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{page.name}:{line}: $ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    "page",
    [
        page
        for folder in (".", "docs", "calibration", "benchmarks")
        for page in sorted((ROOT / folder).glob("*.md"))
    ],
    ids=lambda page: f"{page.parent.name}-{page.stem}",
)
def test_links_within_the_repository_resolve(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("command", sorted(main.list_commands(None)))  # type: ignore[arg-type]
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"resnet-edge {command}" in README.read_text("utf-8")
