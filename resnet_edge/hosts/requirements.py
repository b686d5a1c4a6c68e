"""What this package says that it needs: its own metadata where it is installed, pyproject.toml in a clone."""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import resnet_edge
from resnet_edge.core import registry
from resnet_edge.core.backend_name import CPU
from resnet_edge.core.errors import MissingDependency, UsageError
from resnet_edge.core.packages import EXTRAS

NAME = "resnet-edge"
_UP_TO = "<="
_NO_PACKAGES: dict[str, str] = {}
PACKAGE = Path(resnet_edge.__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What the package needs: Python ("3.11" of ">=3.11"), its base, and what each extra brings."""

    python: tuple[int, int]
    base: tuple[Requirement, ...]
    extras: dict[str, tuple[Requirement, ...]]

    def of_backends(self, words: tuple[str, ...]) -> list[Requirement]:
        """The base and what these backends need, `name` or `name:device`. Raises UsageError; of a device that
        has a distribution of its own MissingDependency, too."""
        requirements = list(self.base)
        for word in words:
            name = word.partition(":")[0]
            known = [each for each in registry.names("backends") if each in self.extras]
            if name not in known:
                raise UsageError(
                    f"{name} is no package of pip's of its own, and is not carried to a host: "
                    f"choose from {', '.join(known)}"
                )
            requirements += self.extras[name]
        instead = in_place(words)
        return [instead.get(each.name, each) for each in requirements]


def read() -> Requirements:
    """Those of the code that runs. A clone is asked first: what an editable install says may be old."""
    project = PACKAGE.parent / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text("utf-8"))["project"]
        optional = {
            extra: tuple(map(Requirement, lines)) for extra, lines in table["optional-dependencies"].items()
        }
        return Requirements(
            python=_lowest(table["requires-python"]),
            base=tuple(map(Requirement, table["dependencies"])),
            extras={extra: _flat(extra, optional) for extra in optional},
        )
    metadata = importlib.metadata.metadata(NAME)
    every = [Requirement(line) for line in metadata.get_all("Requires-Dist") or ()]
    extras = {
        extra: tuple(each for each in every if _brought_by(each, extra))
        for extra in metadata.get_all("Provides-Extra") or ()
    }
    return Requirements(
        python=_lowest(metadata["Requires-Python"]),
        base=tuple(each for each in every if each.marker is None or each.marker.evaluate({"extra": ""})),
        extras=extras,
    )


def installed(requirement: Requirement) -> str:
    """The version of it that is installed here. Raises MissingDependency."""
    try:
        return importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingDependency(
            f"{requirement.name} is not installed here, and a host gets the versions of this machine: "
            f"pip install '{requirement}', or leave its backend out of --backends"
        ) from error


def in_place(words: Iterable[str]) -> dict[str, Requirement]:
    """What stands in place of a distribution so that a device of `words` (`onnxruntime:cuda`) can be opened:
    the newest release up to the one of that distribution which is here, as the same may never be made. Raises
    UsageError, MissingDependency."""
    instead = {}
    for word in words:
        name, _, device = word.partition(":")
        packages = registry.constant("backends", name, "DEVICE_PACKAGES", _NO_PACKAGES)
        if device in ("", CPU):
            continue
        if device not in packages:
            brought = ", ".join([name, *(f"{name}:{each}" for each in packages)])
            raise UsageError(f"{word}: no wheel brings this device to a host: choose from {brought}")
        if packages[device]:
            distribution = EXTRAS[name][0]
            newest = installed(Requirement(distribution))
            instead[distribution] = Requirement(f"{packages[device]}{_UP_TO}{newest}")
    return instead


def pinned(requirement: Requirement) -> str:
    """The release that a host gets: the one that is installed here, else that of `in_place`. Raises
    MissingDependency."""
    if any(each.operator == _UP_TO for each in requirement.specifier):
        return f"{requirement.name}{requirement.specifier}"
    return f"{requirement.name}=={installed(requirement)}"


def _lowest(specifier: str) -> tuple[int, int]:
    major, minor, *_ = specifier.removeprefix(">=").split(".")
    return int(major), int(minor)


def _flat(extra: str, optional: dict[str, tuple[Requirement, ...]]) -> tuple[Requirement, ...]:
    """With what the extras of ours bring that it names."""
    requirements: list[Requirement] = []
    for each in optional[extra]:
        if canonicalize_name(each.name) == NAME:
            requirements += (brought for name in sorted(each.extras) for brought in _flat(name, optional))
        else:
            requirements.append(each)
    return tuple(requirements)


def _brought_by(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})
