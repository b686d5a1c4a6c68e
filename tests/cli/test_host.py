"""`resnet-edge host` against a real sshd: its lines, its documents, its exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import resnet_edge
from resnet_edge.cli import main
from tests.hosts import sshd as servers
from tests.hosts.sshd import Sshd


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A machine like this one, without Python."""
    (tmp_path / "bin").mkdir()
    path = servers.link_programs(tmp_path / "bin")
    with servers.running(tmp_path / "sshd", monkeypatch, path=path) as server:
        yield server


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["host", *words], prog_name="resnet-edge")


def test_what_is_there_is_shown(sshd: Sshd) -> None:
    done = run("show", sshd.name)
    assert (done.exit_code, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    assert re.fullmatch(r"pi4: Linux on \w+, [\d.,]+ [MG]B free in the home", first)
    assert rest == ["  no python3", "Not prepared: resnet-edge host prepare pi4"]
    document = json.loads(run("show", sshd.name, "--json").stdout)
    assert (document["host"], document["environment"], document["kept"]) == ("pi4", None, [])
    report = resnet_edge.host_show(sshd.name)
    assert report.to_dict().keys() == document.keys()
    assert "<table" in report._repr_html_()


def test_what_cannot_be_prepared_is_one_line(sshd: Sshd) -> None:
    done = run("prepare", sshd.name, "--json", "--quiet")
    assert done.exit_code == 3
    error = json.loads(done.stdout)["error"]
    assert done.stderr == f"error: {error}\n"
    assert error.startswith("pi4: there is no python3 there: install Python 3.11 or newer")
    with pytest.raises(resnet_edge.errors.HostUnavailable, match="there is no python3 there"):
        resnet_edge.host_prepare(sshd.name)


def test_what_is_there_is_removed(sshd: Sshd) -> None:
    assert run("remove", sshd.name).stdout == "pi4: nothing of resnet-edge was there.\n"
    sshd.environment.mkdir(parents=True)
    (sshd.environment / "file").write_bytes(bytes(1 << 20))
    (sshd.home / ".cache/resnet-edge/host").mkdir(parents=True)
    document = json.loads(run("remove", sshd.name, "--json").stdout)
    assert document["host"] == "pi4"
    assert document["freed_bytes"] >= 1 << 20
    assert [path for path in sshd.home.rglob("*") if "resnet-edge" in path.parts] == []
    assert resnet_edge.host_remove(sshd.name).freed_bytes == 0


@pytest.mark.parametrize("word", ["prepare", "show", "remove"])
def test_a_host_that_cannot_be_reached_or_named(word: str) -> None:
    done = run(word, "nobody.invalid", "--quiet")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: nobody.invalid: no machine has that name")
    done = run(word, "-oProxyCommand=x", "--quiet")
    assert done.exit_code == 2


def test_backends_are_checked_before_the_host_is() -> None:
    done = run("prepare", "nobody.invalid", "--backends", "litrt")
    assert done.exit_code == 2
    assert "litrt" in done.stderr
    assert "nobody" not in done.stderr
