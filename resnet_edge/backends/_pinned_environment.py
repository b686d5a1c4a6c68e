"""The environments of runtimes at a version that is not ours: each has the Python and wheels of its time.

A runtime is a file of data beside this one (tflite@2.7.toml). As a program, `python -m`, it makes the
environments of those that are named, or of all (`make extras-museum`).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from resnet_edge.core import registry
from resnet_edge.core.errors import (
    EXIT_DONE,
    MissingDependency,
    OutputError,
    ResnetEdgeError,
    UnknownName,
)

MODULE = "resnet_edge.backends._pinned_environment"
VARIABLE = "RESNET_EDGE_MUSEUM"
ROOM = "backends"
_WHOLE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
"""What a Python must do to become an environment: Debian leaves ensurepip out, and pyenv's `python3.9` may
be a script that says there is none."""
_TRY_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class PinnedRuntime:
    """What a file of data says, and its `name`.

    `runtime` is one that _programs/python_runtime.py knows. `python` are versions of Python that it runs on,
    of which the first one found is taken. `requirements` are all distributions that it needs
    (`name==version`); the first is the runtime.
    """

    title: str
    runtime: str
    python: tuple[str, ...]
    requirements: tuple[str, ...]
    name: str

    @property
    def folder(self) -> Path:
        """Its environment, whether it is there or not."""
        named = os.environ.get(VARIABLE)
        return (Path(named) if named else Path(sys.prefix) / "share/resnet-edge/museum") / self.name

    @property
    def version(self) -> str:
        """The version of the runtime."""
        return self.requirements[0].partition("==")[2]

    @property
    def release(self) -> str:
        """The version, or its day where that is all that it has (0.dev20240702172706)."""
        _, _, day = self.version.partition(".dev")
        return f"{day[:4]}-{day[4:6]}-{day[6:8]}" if day else self.version

    def is_there(self) -> bool:
        """Whether the environment has every distribution in its version."""
        return os.path.isfile(self.program) and all(
            any(self.folder.glob(f"lib/python*/site-packages/{_record(line)}")) for line in self.requirements
        )

    @property
    def program(self) -> Path:
        """The Python of the environment."""
        return self.folder / "bin/python"

    def require(self) -> None:
        """Raise MissingDependency unless the environment is there."""
        if not self.is_there():
            command = shlex.join([sys.executable, "-m", MODULE, self.name])
            raise MissingDependency(
                f"{self.name}: {self.title} is not installed in an environment of its own: "
                f"make extras-museum, or {command}"
            )

    def make(self) -> None:
        """Make the environment; one that is whole stays as it is. Raises MissingDependency."""
        if self.is_there():
            return
        python = _python(self.python)
        if python is None:
            wanted = " or ".join(self.python)
            raise MissingDependency(
                f"{self.name}: {self.title} needs Python {wanted}, and none is here that can make an "
                f"environment (on PATH, of pyenv or uv): install it, as by `pyenv install {self.python[0]}`"
            )
        if self.folder.exists() and not (self.folder / "pyvenv.cfg").is_file():
            raise OutputError(
                f"{self.folder} is there and no environment of Python: let {VARIABLE} name another"
            )
        try:
            self._install(python)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _install(self, python: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        pip = [str(self.program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # What is required is all, in wheels alone: nothing newer takes its place, and nothing is compiled.
        exactly = ["--no-deps", "--only-binary", ":all:"]
        for command in ([python, "-m", "venv", str(self.folder)], [*pip, *exactly, *self.requirements]):
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                raise MissingDependency(
                    f"{self.name}: the environment of {self.title} cannot be made ({_reason(done)}): see "
                    f"that pip's registry is reached and has that wheel for this machine, or do without "
                    f"{self.name}"
                )


def runtimes() -> dict[str, PinnedRuntime]:
    """All of them, by name."""
    return {name: read(file) for name, file in registry.declared(ROOM).items()}


def read(file: Path) -> PinnedRuntime:
    """What the file of data says."""
    return msgspec.convert({**tomllib.loads(file.read_text("utf-8")), "name": file.stem}, PinnedRuntime)


def _record(requirement: str) -> str:
    """The folder in which an installer says that a distribution is there."""
    name, _, version = requirement.partition("==")
    return f"{name.replace('-', '_')}-{version}.dist-info"


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that an installer said: the others lead to it."""
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines()]
    said = [line for line in lines if line.startswith("ERROR:")] or [line for line in lines if line]
    return next(iter(said[-1:]), f"exit {done.returncode}").removeprefix("ERROR:").strip()[:300].rstrip(".")


def _python(versions: Sequence[str]) -> str | None:
    """A Python of the first of these versions that is here."""
    return next((path for wanted in versions for path in _candidates(wanted) if _is(path, wanted)), None)


def _candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be: this one, on PATH, of pyenv, of uv."""
    yield sys.executable
    if python := shutil.which(f"python{version}"):
        yield python
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    folders = {
        Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions": f"{version}.*",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"): f"cpython-{version}.*",
    }
    for folder, pattern in folders.items():
        for one in sorted(folder.glob(f"{pattern}/bin/python{version}")):
            yield str(one)


def _is(python: str, version: str) -> bool:
    try:
        done = subprocess.run(
            [python, "-I", "-c", _WHOLE],
            capture_output=True,
            text=True,
            timeout=_TRY_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def main(names: Sequence[str]) -> int:
    """Make the environments of these runtimes, or of all; one that cannot be made does not keep the others
    away. The exit code is that of the command line."""
    known = runtimes()
    code = EXIT_DONE
    for name in names or known:
        try:
            if name not in known:
                raise UnknownName(f"no pinned runtime is called {name!r}; choose from: {', '.join(known)}")
            known[name].make()
            sys.stdout.write(f"{name}: {known[name].folder}\n")
        except ResnetEdgeError as error:
            sys.stderr.write(f"{error}\n")
            code = max(code, error.exit_code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
