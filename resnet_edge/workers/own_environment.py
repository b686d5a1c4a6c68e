"""Packages that cannot be installed beside ours: each has a virtual environment to itself, inside of ours."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import MissingDependency


@dataclass(frozen=True, kw_only=True)
class OwnEnvironment:
    """The environment of `distribution`, which people call `title`.

    It is where the environment variable `variable` says, else in this environment's share/resnet-edge/`name`.
    `requirements` is what pip is told to install, as it stands in a shell.
    """

    name: str
    title: str
    distribution: str
    variable: str
    requirements: str

    @property
    def folder(self) -> Path:
        """Its folder, whether it is there or not."""
        named = os.environ.get(self.variable)
        return Path(named) if named else Path(sys.prefix) / "share/resnet-edge" / self.name

    def program(self, name: str) -> Path:
        """A program in it: `python`, or what the distribution brings."""
        return self.folder / "bin" / name

    def require(self, user: str, program: str = "python") -> str:
        """The version of the distribution there. Raises MissingDependency in the name of `user`, also where
        the program is missing."""
        stem = self.distribution.replace("-", "_")
        distributions = sorted(self.folder.glob(f"lib/python*/site-packages/{stem}-*.dist-info"))
        # Not Path.is_file, which raises where a link leads into another user's home.
        if not distributions or not os.path.isfile(self.program(program)):
            raise MissingDependency(
                f"{user}: {self.title} is not installed in an environment of its own: "
                f"{self.install_command()}"
            )
        return distributions[-1].name.removeprefix(f"{stem}-").removesuffix(".dist-info")

    def install_command(self) -> str:
        """How to make it where it is looked for."""
        folder = shlex.quote(str(self.folder))
        # --no-deps: what is required is all, and nothing newer takes its place.
        return (
            f"{shlex.quote(sys.executable)} -m venv {folder} && "
            f"{folder}/bin/python -m pip install --no-deps {self.requirements}"
        )
