"""`host prepare` on a real host, with real wheels; and what it refuses before anything is copied."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import resnet_edge
from resnet_edge import __version__
from resnet_edge.core.errors import HostUnavailable
from resnet_edge.core.results.host import HostPreparation, HostState
from resnet_edge.hosts import downloads, requirements, ssh
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.prepare import prepare, remove, usable
from resnet_edge.hosts.requirements import PACKAGE
from resnet_edge.hosts.survey import survey
from tests.hosts import sshd as servers
from tests.hosts.pythons import python, state
from tests.hosts.sshd import Sshd
from tests.hosts.test_script import files, wait_until_nothing_runs

LOWEST = (3, 11)
BACKENDS = ("litert", "onnxruntime")
QUIET = ["ORT_DISABLE_TELEMETRY=1", "PYTHONDONTWRITEBYTECODE=1"]  # the first: see workers/process.py
PROGRAM = """
import ctypes, hashlib, importlib.metadata, json, pathlib, platform, sys
import ai_edge_litert.interpreter, msgspec, numpy, onnxruntime, resnet_edge
package = pathlib.Path(resnet_edge.__file__).parent
digests = {f.relative_to(package).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
           for f in package.rglob("*.py")}
names = ("ai-edge-litert", "numpy", "onnxruntime", "resnet-edge")
print(json.dumps({"machine": platform.machine(), "prefix": sys.prefix, "code": digests,
                  "versions": {name: importlib.metadata.version(name) for name in names}}))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Wheels that the tests of this file share. Skips where pip's registry is not reached."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        try:
            downloads.wheels([], python())
        except HostUnavailable as error:
            pytest.skip(str(error))  # no registry is reached: there are no wheels to bring
        yield folder


def prepared(name: str) -> tuple[HostPreparation, list[str]]:
    steps: list[str] = []
    report = prepare(Host.parse(name), BACKENDS, lambda step, done, total: steps.append(step))
    return report, list(dict.fromkeys(steps))


def check_environment(server: Sshd, machine: str) -> None:
    """It is whole, and of this very code and these releases."""
    done = subprocess.run(
        ssh.command(Host.parse(server.name), ["env", *QUIET, f"{ssh.ENVIRONMENT}/bin/python", "-c", PROGRAM]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout)
    assert there["machine"] == machine
    assert Path(there["prefix"]).resolve() == server.environment.resolve()
    assert there["code"] == {
        file.relative_to(PACKAGE).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in PACKAGE.rglob("*.py")
    }
    needs = {each.name: each for each in requirements.read().of_backends(BACKENDS)}
    for name in ("ai-edge-litert", "numpy", "onnxruntime"):
        assert there["versions"][name] == requirements.installed(needs[name])
    document = json.loads((server.environment / "environment.json").read_text())
    assert (document["resnet_edge"], document["machine"]) == (__version__, machine)
    assert document["packages"].items() >= there["versions"].items()


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_a_machine_like_this_one(sshd: Sshd) -> None:
    if shutil.which("python3", path=servers.PATH) is None:
        pytest.skip("this machine has no python3 of its own")
    report, steps = prepared(sshd.name)
    assert (report.changed, steps) == (True, ["look", "wheels", "copy", "install"])
    assert report.copied_files == len(report.environment.wheels) + 1  # pip, which is not installed
    assert "pip" not in report.environment.packages
    kept = (sshd.home / ".cache/resnet-edge/host-wheels").glob("*/*.whl")
    assert report.copied_bytes == sum(file.stat().st_size for file in kept)
    check_environment(sshd, os.uname().machine)
    first = sshd.environment.readlink()

    again, steps = prepared(sshd.name)
    assert (again.changed, again.copied_bytes, steps) == (False, 0, ["look", "wheels"])
    assert again.environment == report.environment
    assert sshd.environment.readlink() == first

    # As after the Python of the system was replaced: made anew, of what is there.
    shutil.rmtree(next(sshd.environment.glob("lib/python*/site-packages/resnet_edge")))
    state_there = survey(Host.parse(sshd.name))
    assert state_there.environment is not None
    assert not state_there.environment.starts
    mended, _ = prepared(sshd.name)
    assert (mended.changed, mended.copied_files) == (True, 0)
    check_environment(sshd, os.uname().machine)
    assert not (sshd.environment.parent / first).exists()

    assert remove(Host.parse(sshd.name)).freed_bytes > report.copied_bytes
    assert files(sshd.home) == []
    assert remove(Host.parse(sshd.name)).freed_bytes == 0
    wait_until_nothing_runs(sshd)


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_a_raspberry(raspberry: Sshd) -> None:
    report, _ = prepared(raspberry.name)
    assert (report.changed, report.machine) == (True, "aarch64")
    assert [name for name in report.environment.wheels if "x86_64" in name] == []
    check_environment(raspberry, "aarch64")
    again, _ = prepared(raspberry.name)
    assert (again.changed, again.copied_bytes) == (False, 0)
    wait_until_nothing_runs(raspberry)


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_each_step_is_over_once(sshd: Sshd) -> None:
    if shutil.which("python3", path=servers.PATH) is None:
        pytest.skip("this machine has no python3 of its own")
    heard: list[resnet_edge.Progress] = []
    resnet_edge.host_prepare(sshd.name, on_progress=heard.append)
    over = [each.step for each in heard if 0 < each.total <= each.done]
    assert len(over) == len({*over}) == 4
    assert {each.step for each in heard} == {*over}


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known before anything is copied."""
    with servers.running(tmp_path / "sshd", monkeypatch, mount="size=20m") as server:
        message = r"pi4: the environment takes [\d,]+ MB, and the home there has 2\d MB free"
        with pytest.raises(HostUnavailable, match=message):
            prepared(server.name)


def test_the_python_of_this_release_is_first_then_the_newest() -> None:
    here = ".".join(map(str, sys.version_info[:3]))
    pythons = [python("3.98.1"), python("3.99.0"), python(here), python("3.9.2")]
    assert [each.version for each in usable(state(*pythons), LOWEST)] == [here, "3.99.0", "3.98.1"]


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (state(), "there is no python3 there: install Python 3.11 or newer"),
        (state(python("3.9.2")), "Python 3.11 or newer is needed there.* there is 3.9.2 on its PATH"),
        (state(replace(python(), problem="it is a 32-bit program")), r"3.11.2 \(it is a 32-bit program\)"),
        (state(python(), system="Darwin"), "hosts run Linux, and this one is Darwin"),
        (state(python(), writable=False), "the home there cannot be written"),
    ],
)
def test_a_host_without_a_fitting_python(there: HostState, reason: str) -> None:
    with pytest.raises(HostUnavailable, match=f"^pi4: .*{reason}"):
        usable(there, LOWEST)


def test_a_real_host_without_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    path = servers.link_programs(tmp_path / "bin")
    with servers.running(tmp_path / "sshd", monkeypatch, path=path) as server:
        with pytest.raises(HostUnavailable, match="pi4: there is no python3 there"):
            prepared(server.name)
        assert list(server.home.iterdir()) == []


def test_a_real_host_whose_python_has_no_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that runtimes have no wheels for; nothing is asked of a registry."""
    real = shutil.which("python3", path=servers.PATH)
    if real is None:
        pytest.skip("this machine has no python3 of its own")
    folder = tmp_path / "bin"
    folder.mkdir()
    other = "import platform; platform.machine = lambda: 'riscv64'; "
    (folder / "python3").write_text(f'#!/bin/sh\nexec {real} -I -B -c "{other}$4"\n')
    (folder / "python3").chmod(0o755)
    path = servers.link_programs(folder)
    with servers.running(tmp_path / "sshd", monkeypatch, path=path) as server:
        with pytest.raises(HostUnavailable, match="pi4: runtimes have no wheels for riscv64, but for x86_64"):
            prepared(server.name)
        assert list(server.home.iterdir()) == []
