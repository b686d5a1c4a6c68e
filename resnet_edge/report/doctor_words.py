"""What `doctor` found, in words: what works first, what is not here with its reason once, and a summary."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_edge.core import registry
from resnet_edge.core.results.examination import BackendState, DeviceState, Examination, Status
from resnet_edge.report import words

WORKS = "Each of these ran an image of a network whose answer is known, and gave that answer:"
HEADER = ("Backend", "Version", "Device", "First image, ms")


def machine_lines(examination: Examination) -> list[str]:
    """The machine, what holds the workers, and all versions."""
    machine, held = examination.machine, examination.sandbox
    gigabytes = f", {machine['memory_bytes'] / 1e9:.0f} GB" if machine["memory_bytes"] else ""
    why = f" ({held.detail})" if held.detail else ""
    return [
        f"{machine['cpu']} ({machine['architecture']}), {machine['usable_cores']} cores{gigabytes}",
        f"int8 instructions: {', '.join(machine['int8_flags']) or 'none known'}",
        f"{machine['os']}, Python {machine['python']}",
        f"workers that read third-party files: files {held.files}, network {held.network}{why}",
        ", ".join(f"{name} {version}" for name, version in examination.versions.items()),
    ]


def working(examination: Examination) -> list[list[str]]:
    """Cells as HEADER has them, of every device on which a backend opens."""
    return [
        [backend.backend, backend.version, state.device, words.milliseconds(state.first_ms)]
        for backend, state in _states(examination, "opens")
    ]


def broken(examination: Examination) -> list[str]:
    """A line for each place that is there and does not do what it should."""
    return [
        f"{backend.backend} {state.device}: broken: {state.detail}"
        for backend, state in _states(examination, "broken")
    ]


def absent(examination: Examination) -> list[str]:
    """A line for each reason why something is not here; runtimes of other versions in one. On a host, what is
    not installed is in one line: it is installed from here."""
    pinned = registry.declared("backends")
    reasons: dict[str, list[str]] = {}
    wanted: tuple[Status, ...] = ("not here",) if examination.host else ("not here", "not installed")
    for backend, state in _states(examination, *wanted):
        if backend.backend not in pinned:
            place = (
                backend.backend if state.status == "not installed" else f"{backend.backend} {state.device}"
            )
            reasons.setdefault(state.detail.removeprefix(f"{backend.backend}: "), []).append(place)
    lines = [f"{', '.join(places)}: {reason}" for reason, places in reasons.items()]
    if examination.host:
        return [*lines, *_installed_from_here(examination)]
    others = [b.backend for b, _ in _states(examination, "not here", "not installed") if b.backend in pinned]
    if others:
        lines.append(
            f"{', '.join(others)}: other versions, as apps may still have them, are not installed: "
            "`make extras-museum`, or what --json says of each"
        )
    return lines


def _installed_from_here(examination: Examination) -> list[str]:
    missing = [backend.backend for backend, _ in _states(examination, "not installed")]
    if not missing:
        return []
    return [
        f"not installed there: {', '.join(missing)}. Those that pip has come by "
        f"`resnet-edge host prepare {examination.host} --backends NAME,…`"
    ]


def summary(examination: Examination) -> str:
    """How much works, in a line, and what is wrong."""
    opening = list(_states(examination, "opens"))
    count = len({backend.backend for backend, _ in opening})
    missing = {backend.backend for backend, _ in _states(examination, "not installed")}
    work = "works" if count == 1 else "work"
    where = f"on {examination.host}" if examination.host else "here"
    line = f"{words.count(count, 'backend')} of {len(examination.backends)} {work} {where}{_devices(opening)}"
    sick = [backend.backend for backend in examination.backends if not backend.healthy]
    if sick:
        return f"{line}; BROKEN: {', '.join(sick)}."
    rest = f"; {len(missing)} {'is' if len(missing) == 1 else 'are'} not installed" if missing else ""
    return f"{line}, and nothing that is installed is broken{rest}."


def _devices(opening: list[tuple[BackendState, DeviceState]]) -> str:
    kinds = dict.fromkeys(sorted(state.device for _, state in opening))
    return f", on {', '.join(kinds)}" if kinds else ""


def _states(examination: Examination, *statuses: Status) -> Iterator[tuple[BackendState, DeviceState]]:
    for backend in examination.backends:
        for state in backend.devices:
            if state.status in statuses:
                yield backend, state
