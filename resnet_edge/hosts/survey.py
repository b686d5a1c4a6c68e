"""What is on a host: machine, Pythons, room, clock, and the environment that is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from resnet_edge.core.results.host import HostEnvironment, HostPython, HostState
from resnet_edge.hosts import script, ssh
from resnet_edge.hosts.address import Host


def survey(host: Host) -> HostState:
    """Ask the host, in one connection; nothing is changed there. Raises HostUnavailable."""
    facts = (script.PROGRAMS / "python_facts.py").read_text("utf-8")
    there, here = 0.0, 0.0

    def note_time(key: str, value: str) -> None:
        nonlocal there, here
        if key == "time":
            there, here = float(value or 0), time.time()

    lines = script.run(host, "survey", facts, str(ssh.ENVIRONMENT), on_line=note_time)
    values = dict(lines)
    if "end" not in values:
        raise script.runs_nothing(host)
    pythons = [each for key, value in lines if key == "python" for each in _python(value)]
    return HostState(
        host=host.name,
        system=values["system"],
        machine=values["machine"],
        free_bytes=int(values["free"] or 0) << 10,
        taken_bytes=int(values["taken"] or 0) << 10,
        clock_ahead_seconds=round(there - here, 0),
        writable="writable" in values,
        pythons=tuple({each.version: each for each in reversed(pythons)}.values()),
        environment=_environment(values),
        kept=frozenset(value for key, value in lines if key == "kept"),
    )


def _python(line: str) -> Iterator[HostPython]:
    """None where a program of that name says something else."""
    path, _, facts = line.partition(" {")
    with suppress(msgspec.MsgspecError):
        yield msgspec.convert({"path": path, **msgspec.json.decode("{" + facts)}, HostPython)


def _environment(values: dict[str, str]) -> HostEnvironment | None:
    """What is there; None where it is of no form that we know, too: it is made anew."""
    try:
        document = msgspec.json.decode(values.get("environment", ""))
        return msgspec.convert({**document, "starts": "starts" in values}, HostEnvironment)
    except (msgspec.MsgspecError, TypeError):
        return None
