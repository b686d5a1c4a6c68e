"""The wheels that a Python of another machine needs, brought here by pip and kept.

Both ends are to compute with the same releases: of each distribution the version that is installed here is
taken. pip judges what a wheel needs by the Python that runs it (https://github.com/pypa/pip/issues/11664), so
that is read from the wheels and judged here, by the markers of the other machine."""

from __future__ import annotations

import email.parser
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import suppress
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from resnet_edge.core.errors import HostUnavailable, MissingDependency, OutputError, ResnetEdgeError
from resnet_edge.core.files.atomic import take_name
from resnet_edge.core.results.host import HostPython
from resnet_edge.hosts.requirements import pinned

OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}
"""The second number of the first glibc that a manylinux of the machine stands for (PEP 600, PEP 599)."""
KEPT_SECONDS = 30 * 24 * 3600.0
"""As hosts keep their files (workers.hosts.store)."""
_DOWNLOAD = ".download-"
PIP = "pip"
_NO_EXTRAS = frozenset({""})


class NoWheel(ResnetEdgeError):
    """A distribution that has no wheel for a Python of a host."""


def cache() -> Path:
    """Where wheels are kept here (the XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "resnet-edge" / "wheels"


def wheels(requirements: Iterable[Requirement], python: HostPython) -> dict[str, Path]:
    """The wheel of pip and of each distribution that is required, and of what these need in turn, by name.

    Raises NoWheel, MissingDependency, HostUnavailable where the registry is not reached, and OutputError."""
    _require_pip()
    extras: dict[str, set[str]] = {}
    pins = {PIP: PIP}  # the newest, or one that is kept: an old one may not run on a new Python
    for each in requirements:
        if _wanted(each, python):
            pins[canonicalize_name(each.name)] = pinned(each)
            extras[canonicalize_name(each.name)] = {"", *each.extras}
    files: dict[str, Path] = {}

    def needs(name: str) -> dict[str, str]:
        return dict(_needed_by(files[name], python, extras.get(name, {""})))

    # What is installed here tells most of what is needed there: one download instead of several.
    needed = {**dict(_needed_here(pins, python)), **pins}
    while missing := {name: pin for name, pin in needed.items() if name not in files}:
        files.update(_kept_or_downloaded(missing, python))
        for name in missing:
            if name != PIP:
                needed |= {n: pin for n, pin in needs(name).items() if n not in needed}
    return _reachable(files, pins, needs)


def platforms(python: HostPython) -> list[str]:
    """The platform tags that it takes, the newest first. Raises NoWheel."""
    machine = python.machine
    if machine not in OLDEST_GLIBC:
        raise NoWheel(f"runtimes have no wheels for {machine}, but for {' and '.join(OLDEST_GLIBC)}")
    glibc = re.fullmatch(r"glibc 2\.(\d+)", python.libc)
    if glibc is None:
        raise NoWheel("its C library is not glibc (musl, as of Alpine), for which runtimes have no wheels")
    newest, oldest = int(glibc[1]), OLDEST_GLIBC[machine]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, oldest - 1, -1)]
    return [*tags, *([f"manylinux2014_{machine}"] if newest >= 17 else []), f"linux_{machine}"]


def tags(python: HostPython) -> frozenset[Tag]:
    """Those of all wheels that it takes."""
    major, minor = python.release
    names = platforms(python)
    return frozenset(
        (
            *cpython_tags(python.release, platforms=names),
            *compatible_tags(python.release, f"cp{major}{minor}", names),
        )
    )


def _require_pip() -> None:
    try:  # not by find_spec: setuptools watches who imports pip
        importlib.metadata.version(PIP)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingDependency(
            f"pip is not installed here, and it brings the wheels of a host: {sys.executable} -m ensurepip"
        ) from error


def _wanted(requirement: Requirement, python: HostPython, extras: Set[str] = _NO_EXTRAS) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**python.markers, "extra": extra}) for extra in extras)


def _pinned(
    lines: Iterable[str], python: HostPython, extras: Set[str] = _NO_EXTRAS
) -> Iterator[tuple[str, str]]:
    """What is required by lines of metadata, at the version that is installed here; where it is not, as there
    it is another Python that wants it, the newest that fits."""
    for requirement in map(Requirement, lines):
        if _wanted(requirement, python, extras):
            try:
                pin = f"{requirement.name}=={importlib.metadata.version(requirement.name)}"
            except importlib.metadata.PackageNotFoundError:
                pin = f"{requirement.name}{requirement.specifier}"
            yield canonicalize_name(requirement.name), pin


def _needed_here(pins: dict[str, str], python: HostPython) -> Iterator[tuple[str, str]]:
    """What the installed distributions need, and these in turn."""
    waiting, seen = [*pins], {PIP}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        with suppress(importlib.metadata.PackageNotFoundError):
            for each, pin in _pinned(importlib.metadata.requires(name) or (), python):
                yield each, pin
                waiting.append(each)


def _needed_by(wheel: Path, python: HostPython, extras: Set[str]) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.parser.BytesParser().parsebytes(archive.read(name), headersonly=True)
    yield from _pinned(metadata.get_all("Requires-Dist") or (), python, extras)


def _reachable(
    files: dict[str, Path], pins: dict[str, str], needs: Callable[[str], dict[str, str]]
) -> dict[str, Path]:
    """Only what is needed by the wheels themselves, pip first."""
    waiting, needed = [name for name in pins if name != PIP], {PIP: files[PIP]}
    while waiting:
        name = waiting.pop(0)
        if name not in needed:
            needed[name] = files[name]
            waiting += needs(name)
    return needed


def _kept_or_downloaded(pins: dict[str, str], python: HostPython) -> dict[str, Path]:
    folder = cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = {name: file for name, pin in pins.items() if (file := _kept(folder, name, pin, python))}
        missing = {name: pin for name, pin in pins.items() if name not in kept}
        _sweep(folder, kept.values())
        if missing:
            with tempfile.TemporaryDirectory(dir=folder, prefix=_DOWNLOAD) as place:
                _download(Path(place), missing.values(), python)
                for file in Path(place).glob("*.whl"):
                    take_name(file, folder / file.name)
                    kept[parse_wheel_filename(file.name)[0]] = folder / file.name
        return kept
    except OSError as error:
        raise OutputError(f"wheels cannot be kept in {folder}: {error.strerror or error}") from error


def _sweep(folder: Path, used: Iterable[Path]) -> None:
    """Remove wheels that no host needed in a long time, and what a download that was cut off left."""
    for file in used:
        os.utime(file)
    oldest = time.time() - KEPT_SECONDS
    for entry in (*folder.glob("*.whl"), *folder.glob(f"{_DOWNLOAD}*")):
        with suppress(OSError):
            if entry.stat().st_mtime < oldest:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _kept(folder: Path, name: str, pin: str, python: HostPython) -> Path | None:
    """The newest wheel that is here already and fits; a damaged one goes."""
    versions, taken = Requirement(pin).specifier, tags(python)
    fitting: list[tuple[Version, Path]] = []
    for file in sorted(folder.glob("*.whl")):
        with suppress(InvalidWheelFilename):  # no file of ours
            its_name, version, _, its_tags = parse_wheel_filename(file.name)
            if its_name == name and versions.contains(version, prereleases=True) and taken & its_tags:
                if zipfile.is_zipfile(file):
                    fitting.append((version, file))
                else:
                    file.unlink()
    return max(fitting)[1] if fitting else None


def _download(folder: Path, pins: Iterable[str], python: HostPython) -> None:
    """Raises NoWheel, or HostUnavailable where no registry answers."""
    major, minor = python.release
    command = [
        *(sys.executable, "-m", PIP, "download", "--disable-pip-version-check", "--no-input"),
        *("--progress-bar=off", "--only-binary=:all:", "--no-deps", "--dest", str(folder)),
        *("--implementation", "cp", "--python-version", f"{major}.{minor}"),
        *(word for tag in platforms(python) for word in ("--platform", tag)),
        *pins,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode == 0:
        return
    said = done.stderr
    missing = re.search(r"No matching distribution found for (.+)", said)
    if _unreached(said) or missing is None:
        errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if "ERROR:" in line]
        first = next(iter(errors), f"exit {done.returncode}")[:200].rstrip(".")
        raise HostUnavailable(
            "the wheels for the host cannot be had from pip's registry "
            f"({'it is not reached' if _unreached(said) else first}): see that this machine reaches it, "
            "and run the same again"
        )
    release = missing[1].strip().replace("==", " ")
    raise NoWheel(f"{release} has no wheel for Python {major}.{minor} on {python.machine} with {python.libc}")


def _unreached(said: str) -> bool:
    """pip takes an index that does not answer for one that has nothing, with warnings."""
    return "Retrying (" in said or "connection error" in said
