"""Tests of core.machine and core.packages."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from resnet_edge.core.machine import (
    available_memory,
    busy_seconds,
    celsius,
    clock_mhz,
    family,
    machine,
    usable_cores,
    versions,
)
from resnet_edge.core.packages import CONVERT, EXTRAS, missing_package

PROJECT = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"


def test_clock_and_heat_are_numbers_or_not_known() -> None:
    clock, heat = clock_mhz(), celsius()
    assert clock is None or 1 < clock < 20_000
    assert heat is None or -50 < heat < 200


def test_the_hottest_sensor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def sensors() -> dict[str, list[SimpleNamespace]]:
        return {"cpu_thermal": [SimpleNamespace(current=61.5)], "nvme": [SimpleNamespace(current=40.0)]}

    monkeypatch.setattr(psutil, "sensors_temperatures", sensors, raising=False)
    assert celsius() == 61.5
    monkeypatch.setattr(psutil, "cpu_freq", lambda: None)
    assert clock_mhz() is None


def test_the_machine_is_plain_json_that_tells_what_matters() -> None:
    facts = machine()
    assert msgspec.json.decode(msgspec.json.encode(facts)) == facts
    assert facts["cpu"]
    assert 1 <= facts["usable_cores"] <= facts["cores"]
    assert facts["memory_bytes"] > 1 << 28


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_usable_cores_follow_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_what_is_free_is_of_what_is_there() -> None:
    free = available_memory()
    assert free is not None
    assert 0 < free <= machine()["memory_bytes"]


def test_what_this_process_computes_keeps_cores_busy() -> None:
    before, own = busy_seconds(), time.process_time()
    while time.process_time() - own < 0.3:
        pass
    after = busy_seconds()
    assert before is not None
    assert after is not None
    assert after - before >= 0.2


PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


def test_a_family_is_a_process_and_all_below_it_as_long_as_it_runs() -> None:
    child = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        child.stdout.readline()  # the grandchild has started
        processes = family(child.pid)
        assert processes[0].pid == child.pid
        assert [each.ppid() for each in processes[1:]] == [child.pid]
        child.communicate(b"\n")
    assert family(child.pid) == []


def test_versions_are_those_installed() -> None:
    installed = versions()
    assert installed["msgspec"] == importlib.metadata.version("msgspec")
    assert installed["resnet-edge"]


def test_a_package_in_place_of_another_has_a_version_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports of a machine with onnxruntime-gpu would else not say which ONNX Runtime it was."""
    info = tmp_path / "onnxruntime_gpu-1.31.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.31.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions()["onnxruntime-gpu"] == "1.31.1"


@pytest.mark.parametrize("module", EXTRAS)
def test_every_package_comes_with_the_extra_that_the_message_names(module: str) -> None:
    distribution, extra = EXTRAS[module]
    declared = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    assert any(requirement.startswith(distribution) for requirement in declared[extra])
    message = missing_package(f"{module}.inner")
    assert message is not None
    assert message.startswith(f"the package {distribution} is not installed: pip install 'resnet-edge[")
    assert f"'resnet-edge[{extra}]'" in message
    # Who needs one part of it mostly needs all: not one message after the other.
    within = declared["convert"][0].partition("[")[2].rstrip("]").split(",")
    assert ("'resnet-edge[convert]'" in message) == (extra in within)
    assert sorted(CONVERT) == sorted(within)


def test_every_extra_that_is_named_anywhere_exists() -> None:
    root = PROJECT.parent
    declared = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    files = [root / "README.md", *(root / "docs").glob("*.md"), *(root / "resnet_edge").rglob("*.py")]
    named = re.compile(r"(?:resnet-edge|pip install [^`]*\.)\[([a-z,]+)\]")
    extras = {
        extra
        for file in files
        for match in named.findall(file.read_text("utf-8"))
        for extra in match.split(",")
    }
    assert {"convert", "litert"} <= extras <= set(declared)


def test_the_readme_says_how_large_an_installation_is() -> None:
    start = (PROJECT.parent / "README.md").read_text("utf-8").partition("## Start")[2].partition("\n## ")[0]
    assert re.search(r"`pip install [^`]*\[convert\]'`[^.]* takes [\d.]+ GB", start.replace("\n", " "))
    assert "`du -sh`" in start


@pytest.mark.parametrize("module", ["my_own_module", "", None])
def test_a_package_that_no_extra_brings_has_no_message(module: str | None) -> None:
    assert missing_package(module) is None
