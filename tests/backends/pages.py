"""For the tests of what runs in a browser: the module, or a skip that says what is not installed."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import ModuleType

import pytest

from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency


def loaded(backend: str) -> ModuleType:
    try:
        module: ModuleType = registry.load("backends", backend)
        return module
    except MissingDependency as error:
        pytest.skip(str(error), allow_module_level=True)


def left_behind(temporary: Path) -> list[str]:
    """Processes and folders of browsers whose temporary files are in `temporary`, that do not go."""
    deadline = time.monotonic() + 20
    begin = f"{temporary}/resnet-edge-browser-"
    while left := [*processes(begin).values(), *map(str, temporary.glob("resnet-edge-browser-*"))]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left


def started(words: str) -> list[int]:
    """Processes that this one started, with these words in their command."""
    command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line.split(None, 1) for line in done.stdout.splitlines()]
    return [int(number) for number, line in lines if words in line]


def processes(words: str) -> dict[int, str]:
    """The command lines with these words, by process id."""
    done = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    lines = (line.split(None, 1) for line in done.stdout.splitlines() if words in line)
    return {int(number): line for number, line in lines}
