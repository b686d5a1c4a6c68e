"""How a backend is named: `litert`, `litert:gpu`, `tflite@2.7`, and on another machine `litert:gpu@pi4`."""

from __future__ import annotations

from functools import cache

from resnet_edge.core import registry

ROOM = "backends"
CPU = "cpu"
"""The device that is meant where none is named."""


def split_host(backend: str) -> tuple[str, str]:
    """`litert:gpu@pi4` is the backend `litert:gpu` on the host `pi4`; the host is empty for this machine.

    Names of backends may hold an @ themselves (`tflite@2.7`): what is known goes as far as it can. Where
    nothing is known the host is empty, and the name is no backend's."""
    marks = [index for index, letter in enumerate(backend) if letter == "@"]
    for end in (len(backend), *reversed(marks)):
        name, _, device = backend[:end].partition(":")
        if name.lower() in _known() and not {*device} & {"@", ":"}:
            return backend[:end], backend[end + 1 :]
    return backend, ""


def runtime_of(backend: str) -> str:
    """The file of the room: without device and host."""
    return split_host(backend)[0].partition(":")[0]


def placed(word: str) -> tuple[str, str]:
    """What `--backends` has, as rows of reports have it: `litert:gpu@pi4` is `litert@pi4` on the `gpu`."""
    here, host = split_host(word)
    runtime, _, device = here.partition(":")
    return on_host(runtime, host), device or CPU


def on_host(runtime: str, host: str) -> str:
    """What a report calls a backend on a host; on this machine its own name."""
    return f"{runtime}@{host}" if host else runtime


def option_of(backend: str, device: str) -> str:
    """A row of a report as `--backends` takes it: `litert:gpu@pi4`."""
    runtime, host = split_host(backend)
    return on_host(runtime if device == CPU else f"{runtime}:{device}", host)


@cache
def _known() -> frozenset[str]:
    return frozenset(registry.names(ROOM))
