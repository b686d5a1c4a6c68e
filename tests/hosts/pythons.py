"""Pythons and machines of all kinds, as a survey tells of them."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.host import HostPython, HostState


def python(version: str = "3.11.2", machine: str = "aarch64", libc: str = "glibc 2.36") -> HostPython:
    """Debian 12's on a Raspberry Pi, or another."""
    return HostPython(
        path=f"/usr/bin/python{version}",
        version=version,
        machine=machine,
        libc=libc,
        markers={
            "implementation_name": "cpython",
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "6.1",
            "platform_system": "Linux",
            "platform_version": "#1",
            "python_full_version": version,
            "python_version": version.rpartition(".")[0],
            "sys_platform": "linux",
        },
    )


def state(*pythons: HostPython, **changes: object) -> HostState:
    """A Raspberry Pi that is not prepared."""
    plain = HostState(
        host="pi4",
        system="Linux",
        machine="aarch64",
        free_bytes=10 << 30,
        taken_bytes=0,
        clock_ahead_seconds=0.0,
        writable=True,
        pythons=pythons,
        environment=None,
        kept=frozenset(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # of a dataclass, by name
