"""The wheels of another machine's Python, by pip itself."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts import downloads
from resnet_edge.hosts.downloads import NoWheel
from resnet_edge.hosts.requirements import installed
from tests.hosts.pythons import python


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "resnet-edge/wheels"


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip reaches none: nobody listens on port 9 of loopback."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


def keep(cache: Path, name: str, *needs: str) -> Path:
    """A wheel that is there already."""
    distribution, version, *_ = name.split("-")
    cache.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(cache / name, "w") as archive:
        lines = "".join(f"Requires-Dist: {each}\n" for each in needs)
        archive.writestr(f"{distribution}-{version}.dist-info/METADATA", f"Name: {distribution}\n{lines}")
    return cache / name


def test_tags_are_those_that_its_c_library_takes() -> None:
    tags = {str(tag) for tag in downloads.tags(python(libc="glibc 2.31"))}
    assert {"cp311-cp311-manylinux_2_31_aarch64", "cp311-cp311-manylinux2014_aarch64"} <= tags
    assert {"cp36-abi3-manylinux_2_17_aarch64", "py3-none-any", "cp311-none-any"} <= tags
    assert not [tag for tag in tags if "_2_32_" in tag or "x86_64" in tag or "cp312" in tag]


@pytest.mark.parametrize(
    ("machine", "libc", "reason"),
    [
        ("armv7l", "glibc 2.36", "no wheels for armv7l, but for x86_64 and aarch64"),
        ("riscv64", "glibc 2.36", "no wheels for riscv64"),
        ("aarch64", "", r"its C library is not glibc \(musl"),
    ],
)
def test_a_machine_without_wheels(machine: str, libc: str, reason: str) -> None:
    with pytest.raises(NoWheel, match=reason):
        downloads.wheels([Requirement("numpy")], python(machine=machine, libc=libc))


@pytest.mark.usefixtures("no_registry")
def test_wheels_that_are_kept_need_no_registry(cache: Path) -> None:
    """What a wheel needs is judged by the markers of the host, not of this machine."""
    click = installed(Requirement("click"))
    keep(cache, "pip-9.0-py3-none-any.whl")
    own = keep(cache, "pip-23.2-py3-none-any.whl")
    there = f"click-{click}-py3-none-any.whl"
    file = keep(
        cache,
        there,
        'no-such-thing; platform_machine == "x86_64"',
        'neither-this; extra == "x"',
        'rich; platform_machine == "aarch64" and python_version == "3.11"',
    )
    rich = keep(cache, f"rich-{installed(Requirement('rich'))}-py3-none-any.whl")
    assert downloads.wheels([Requirement("click>=8")], python()) == {"pip": own, "click": file, "rich": rich}


@pytest.mark.usefixtures("no_registry")
def test_a_registry_that_is_not_reached(cache: Path) -> None:
    with pytest.raises(
        HostUnavailable, match="registry .it is not reached.: see that this machine reaches it"
    ):
        downloads.wheels([Requirement("click")], python())
    assert list(cache.iterdir()) == []


def test_a_release_without_a_wheel_there(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A registry that has it for another machine: a folder, which is one to pip."""
    offered = tmp_path / "offered"
    offered.mkdir()
    version = installed(Requirement("numpy"))
    shutil.move(keep(cache, f"numpy-{version}-cp311-cp311-manylinux_2_28_x86_64.whl"), offered)
    keep(cache, "pip-23.2-py3-none-any.whl")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    reason = f"numpy {version} has no wheel for Python 3.11 on aarch64 with glibc 2.36"
    with pytest.raises(NoWheel, match=reason):
        downloads.wheels([Requirement("numpy")], python())


def test_a_damaged_wheel_is_not_taken(cache: Path) -> None:
    keep(cache, "click-8.0-py3-none-any.whl").write_bytes(b"half")
    foreign = keep(cache, "click-8.0-of-mine.whl")
    assert downloads._kept(cache, "click", "click==8.0", python()) is None
    assert list(cache.iterdir()) == [foreign]


@pytest.mark.usefixtures("no_registry")
def test_what_the_extras_of_a_wheel_need_comes_with_it(cache: Path) -> None:
    """And of the releases up to the one that is asked for the newest."""
    keep(cache, "pip-23.2-py3-none-any.whl")
    needs = ('nvidia-cudnn-cu13~=9.0; extra == "cudnn"', 'sympy; extra == "symbolic"')
    for version in ("1.30.0", "1.31.1", "1.33.0"):
        keep(cache, f"onnxruntime_gpu-{version}-cp311-cp311-manylinux_2_34_aarch64.whl", *needs)
    keep(cache, "nvidia_cudnn_cu13-9.24.0.43-py3-none-manylinux_2_27_aarch64.whl")
    gpu = Requirement("onnxruntime-gpu[cuda,cudnn]<=1.32.0")
    files = downloads.wheels([gpu], python())
    assert [*files] == ["pip", "onnxruntime-gpu", "nvidia-cudnn-cu13"]
    assert "-1.31.1-" in files["onnxruntime-gpu"].name
    without = downloads.wheels([Requirement("onnxruntime-gpu<=1.32.0")], python())
    assert [*without] == ["pip", "onnxruntime-gpu"]


@pytest.mark.usefixtures("no_registry")
def test_wheels_that_no_host_needs_any_more_go(cache: Path) -> None:
    keep(cache, "pip-23.2-py3-none-any.whl")
    old = keep(cache, "numpy-1.0-py3-none-any.whl")
    (cache / ".download-x").mkdir()
    (cache / ".download-x" / "part.whl").touch()
    recent = keep(cache, "numpy-1.1-py3-none-any.whl")
    for file in (old, cache / ".download-x", cache / "pip-23.2-py3-none-any.whl"):
        os.utime(file, (1, 1))
    assert [*downloads.wheels([], python())] == ["pip"]  # which is used, and stays
    assert {file.name for file in cache.iterdir()} == {"pip-23.2-py3-none-any.whl", recent.name}
    assert (cache / "pip-23.2-py3-none-any.whl").stat().st_mtime > time.time() - 3600
