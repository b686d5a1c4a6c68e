"""What `host` says of another machine, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_edge.core.results.host import HostEnvironment, HostPreparation, HostRemoval, HostState, clock_note


def preparation(report: HostPreparation) -> Iterator[str]:
    """What `host prepare` did."""
    yield f"{report.host}: {report.system} on {report.machine}, {report.libc}"
    yield from environment(report.environment)
    if report.changed:
        files = f"{report.copied_files} file{'' if report.copied_files == 1 else 's'}"
        size = f"{files}, {megabytes(report.copied_bytes)},"
        yield f"Prepared in {report.seconds:.1f} s: {size if report.copied_files else 'nothing'} copied."
    else:
        yield f"It was prepared already: nothing copied ({report.seconds:.1f} s)."
    yield from (f"warning: {note}" for note in report.notes)


def state(report: HostState) -> Iterator[str]:
    """What `host show` found."""
    room = f"{megabytes(report.free_bytes)} free in the home"
    yield f"{report.host}: {report.system} on {report.machine}, {room}"
    for python in report.pythons:
        problem = f": {python.problem}" if python.problem else ""
        yield f"  Python {python.version}, {python.libc or 'no glibc'} ({python.path}){problem}"
    if not report.pythons:
        yield "  no python3"
    if report.environment is None:
        yield f"Not prepared: resnet-edge host prepare {report.host}"
    else:
        yield "Prepared:"
        yield from environment(report.environment)
        if not report.environment.starts:
            yield f"It does not start: resnet-edge host prepare {report.host}"
    if report.taken_bytes:
        yield f"{megabytes(report.taken_bytes)} of resnet-edge there: resnet-edge host remove {report.host}"
    if note := clock_note(report):
        yield f"warning: {note}"


def removal(report: HostRemoval) -> str:
    """What `host remove` did."""
    if not report.freed_bytes:
        return f"{report.host}: nothing of resnet-edge was there."
    return f"{report.host}: removed, {megabytes(report.freed_bytes)} freed."


def environment(prepared: HostEnvironment) -> Iterator[str]:
    """Its Python, and the release of each distribution."""
    releases = ", ".join(f"{name} {version}" for name, version in prepared.packages.items())
    yield f"  Python {prepared.python}"
    yield f"  {releases}"


def megabytes(count: int) -> str:
    """As disks are sold."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
