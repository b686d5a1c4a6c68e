"""`host prepare`: the runtime-only environment of a host, made without root and without a network there.

The wheels come to this machine, and what the host does not have goes over ssh. The environment is made in a
folder of its own, and takes its name when it is whole: a prepare that breaks off leaves the one before."""

from __future__ import annotations

import hashlib
import io
import secrets
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from resnet_edge import __version__
from resnet_edge.core.errors import HostUnavailable, OutputError
from resnet_edge.core.results.host import (
    HostEnvironment,
    HostPreparation,
    HostPython,
    HostRemoval,
    HostState,
    clock_note,
)
from resnet_edge.hosts import downloads, requirements, script, ssh, wheel
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.downloads import NoWheel
from resnet_edge.hosts.requirements import Requirements
from resnet_edge.hosts.survey import survey

OnStep = Callable[[str, int, int], None]
"""What is being done, how many bytes of how many are (0 of 0: not counted)."""
DOCUMENT = "environment.json"
_BLOCK = 4096
"""What a file takes on a disk at least, as file systems come."""


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What an environment is to consist of: a Python there, and wheels here by SHA-256, pip's first."""

    python: HostPython
    wheels: dict[str, Path]
    environment: HostEnvironment


def prepare(host: Host, backends: tuple[str, ...], on_step: OnStep) -> HostPreparation:
    """Make the environment, or find that it is there; `backends` are `name` or `name:device`. Raises
    UsageError, UnknownName, MissingDependency, HostUnavailable or OutputError."""
    began = time.monotonic()
    needs = requirements.read()
    required = needs.of_backends(backends)
    on_step("look", 0, 0)
    state = survey(host)
    pythons = usable(state, needs.python)
    with _own_wheel(needs) as own:
        on_step("wheels", 0, 0)
        content = _content(state, pythons, required, own)
        changed = state.environment != content.environment
        missing = {d: file for d, file in content.wheels.items() if d not in state.kept} if changed else {}
        copied = sum(sizes(missing))
        if changed:
            _require_room(state, content, missing)
            _make(host, content, missing, on_step)
    return HostPreparation(
        host=host.name,
        system=state.system,
        machine=content.python.machine,
        libc=content.python.libc,
        environment=content.environment,
        copied_bytes=copied,
        copied_files=len(missing),
        seconds=round(time.monotonic() - began, 1),
        changed=changed,
        notes=tuple(filter(None, [clock_note(state), *_other_releases(backends, content.environment)])),
    )


def _other_releases(backends: tuple[str, ...], environment: HostEnvironment) -> Iterator[str]:
    """Where a device's own distribution has no release of the version that is here."""
    for plain, requirement in requirements.in_place(backends).items():
        there, here = (
            environment.packages[canonicalize_name(requirement.name)],
            requirements.installed(Requirement(plain)),
        )
        if there != here:
            yield (
                f"there is no {requirement.name} {here}: the host has {there}, and figures there are of that "
                "release"
            )


def remove(host: Host) -> HostRemoval:
    """Remove the environment and all that was brought there. Raises HostUnavailable."""
    ((_, freed),) = script.run(host, "remove", str(ssh.ENVIRONMENT))
    return HostRemoval(host=host.name, freed_bytes=int(freed) << 10)


def usable(state: HostState, lowest: tuple[int, int]) -> list[HostPython]:
    """The Pythons there that an environment can be made with: first of the release that runs here, whose
    wheels are likely here, then the newest. Raises HostUnavailable where there is none."""
    needed = f"Python {lowest[0]}.{lowest[1]} or newer"
    if state.system != "Linux":
        raise HostUnavailable(f"{state.host}: hosts run Linux, and this one is {state.system}")
    if not state.writable:
        raise HostUnavailable(
            f"{state.host}: the home there cannot be written: use an account whose home can be"
        )
    if not state.pythons:
        raise HostUnavailable(
            f"{state.host}: there is no python3 there: install {needed} (on Debian and Raspberry Pi OS: "
            "sudo apt install python3)"
        )
    whole = [each for each in state.pythons if not each.problem and each.release >= lowest]
    if not whole:
        there = ", ".join(
            f"{each.version}{f' ({each.problem})' if each.problem else ''}" for each in state.pythons
        )
        raise HostUnavailable(
            f"{state.host}: {needed} is needed there, as a 64-bit CPython with venv; there is {there} on its "
            "PATH and in ~/.local/bin: install one, as by a newer release of its system, or uv python install"
        )
    return sorted(whole, key=lambda each: (each.release == sys.version_info[:2], each.release), reverse=True)


@contextmanager
def _own_wheel(needs: Requirements) -> Iterator[Path]:
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="resnet-edge-"))
            own = wheel.write(Path(folder), needs)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(
                f"a wheel of this package cannot be made in {tempfile.gettempdir()}: {reason}"
            ) from error
        yield own


def _content(state: HostState, pythons: list[HostPython], required: list[Requirement], own: Path) -> _Content:
    """For the first of the Pythons that all wheels are there for. Raises HostUnavailable where none is."""
    reasons = []
    for python in pythons:
        try:
            files = downloads.wheels(required, python)
        except NoWheel as error:
            reasons.append(str(error))
            continue
        pip = files.pop(downloads.PIP)
        ordered = {_digest(file): file for file in (pip, own, *files.values())}
        installed = {name: digest for digest, file in ordered.items() if (name := file.name) != pip.name}
        return _Content(
            python=python,
            wheels=ordered,
            environment=HostEnvironment(
                resnet_edge=__version__,
                python=python.version,
                machine=python.machine,
                packages={
                    str(name): str(version)
                    for name, version, *_ in sorted(map(parse_wheel_filename, installed))
                },
                wheels=installed,
            ),
        )
    raise HostUnavailable(
        f"{state.host}: {'; '.join(reasons)}: have another Python there, or leave a backend out of --backends"
    )


def _make(host: Host, content: _Content, missing: dict[str, Path], on_step: OnStep) -> None:
    names = [f"{digest}/{file.name}" for digest, file in content.wheels.items()]
    total = sum(sizes(missing))

    def send(stream: BinaryIO) -> None:
        sent = 0
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
            document = msgspec.json.encode(_document(content.environment))
            _add(archive, DOCUMENT, len(document), io.BytesIO(document))
            for digest, file in missing.items():
                on_step("copy", sent, total)
                with file.open("rb") as source:
                    _add(archive, f"{digest}/{file.name}", file.stat().st_size, source)
                sent += file.stat().st_size
        on_step("copy", total, total)

    script.run(
        host,
        "prepare",
        *(str(ssh.ENVIRONMENT), secrets.token_hex(4), content.python.path, str(len(names)), *names),
        *(f"{digest}/{file.name}" for digest, file in missing.items()),
        send=send,
        on_line=lambda key, value: on_step(value, 0, 0) if (key, value) == ("step", "install") else None,
    )


def _document(environment: HostEnvironment) -> dict[str, object]:
    document: dict[str, object] = msgspec.to_builtins(environment)
    del document["starts"]  # is tried each time
    return document


def _add(archive: tarfile.TarFile, name: str, size: int, source: io.BufferedIOBase) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    archive.addfile(entry, source)


def _require_room(state: HostState, content: _Content, missing: dict[str, Path]) -> None:
    """The wheels that come, what is in all of them, and as much again as a file system rounds up."""
    needed = sum(sizes(missing)) + sum(map(_unpacked, content.wheels.values()))
    if state.free_bytes < needed:
        raise HostUnavailable(
            f"{state.host}: the environment takes {needed / 1e6:,.0f} MB, and the home there has "
            f"{state.free_bytes / 1e6:,.0f} MB free: make room, or name fewer --backends"
        )


def _unpacked(file: Path) -> int:
    with zipfile.ZipFile(file) as archive:
        return sum(-(-entry.file_size // _BLOCK) * _BLOCK for entry in archive.infolist())


def sizes(files: dict[str, Path]) -> list[int]:
    """Bytes of each."""
    return [file.stat().st_size for file in files.values()]


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
