"""What numbers were measured on and with: the machine and the installed versions.

Facts are psutil's. By hand is what it does not tell: the flags and the name of a processor, and the limits of
control groups. psutil is imported when it is asked: `--help` asks nothing.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from resnet_edge.core.packages import BASE, EXTRAS, IN_PLACE

if TYPE_CHECKING:
    import psutil

T = TypeVar("T")

INT8_FLAGS = ("avx2", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm", "sve")
"""As /proc/cpuinfo spells them: dot products of 8-bit integers, on x86 and (asimddp, i8mm) on Arm."""


VNNI = frozenset({"avx_vnni", "avx512_vnni"})


def machine() -> dict[str, Any]:
    """A JSON object: `cpu` (model name), `architecture`, `cores` and `usable_cores` (what this
    process may run on), `memory_bytes` (None: not known), `int8_flags`, `os`, `python`."""
    import psutil

    facts, flags = _cpuinfo(), processor_flags()
    return {
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(),
        "usable_cores": usable_cores(),
        "memory_bytes": _or_none(lambda: int(psutil.virtual_memory().total)),
        "int8_flags": [flag for flag in INT8_FLAGS if flag in flags],
        "os": _system(),
        "python": platform.python_version(),
    }


BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """What tells this machine from every other until it is started anew, also where it goes by two names or
    was copied from another; the same in all its containers. Empty where the system does not tell."""
    try:
        return BOOT.read_text("ascii").strip()
    except OSError:  # not Linux
        return ""


def processor_flags() -> frozenset[str]:
    """What the processor can do, as the system spells it; empty where that does not tell."""
    facts = _cpuinfo()
    return frozenset((facts.get("flags") or facts.get("Features") or "").split())


def adds_int8_precisely() -> bool:
    """Whether the processor is known to add products of uint8 and int8 in 32 bits: by its flags, with VNNI,
    and off x86."""
    if platform.machine().lower() not in ("x86_64", "amd64", "i386", "i686", "x86"):
        return True
    return not VNNI.isdisjoint(processor_flags())


def clock_mhz() -> float | None:
    """The clock of the processor now, where the system tells it: one that is hot has a lower one."""
    import psutil

    frequency = _or_none(psutil.cpu_freq)
    return frequency.current if frequency is not None and frequency.current else None


def celsius() -> float | None:
    """The temperature of the hottest sensor, where the system tells it."""
    import psutil

    sensors = _or_none(getattr(psutil, "sensors_temperatures", dict)) or {}  # Linux and FreeBSD alone have it
    return max((each.current for those in sensors.values() for each in those), default=None)


def versions() -> dict[str, str]:
    """What is installed of all that can bear on a result, by distribution; nothing is imported."""
    installed = {}
    extras = [distribution for distribution, _ in EXTRAS.values()]
    in_place = [other for name in extras for other in IN_PLACE.get(name, ())]
    for name in (*BASE, *extras, *in_place):
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # an extra that the user did not want
            continue
    return installed


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS has no affinity


def _cpuinfo() -> dict[str, str]:
    """The entries of the first processor."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text("utf-8", "replace").partition("\n\n")
    except OSError:  # not Linux
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def busy_seconds() -> float | None:
    """Processor seconds that all cores together were not idle since the machine started, those
    that a hypervisor gave to others included; None where the system does not tell."""
    import psutil

    times = _or_none(psutil.cpu_times)
    if times is None:
        return None
    kinds = ("user", "nice", "system", "irq", "softirq", "steal")  # guests are in the first two
    return float(sum(getattr(times, kind, 0.0) for kind in kinds))


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started, directly or not, and that run; nothing where it has ended."""
    import psutil

    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def available_memory() -> int | None:
    """Bytes that processes can still get without swapping, here or in the control group that this process is
    in, as in a container; None where the system does not tell."""
    import psutil

    free: list[int] = []
    with suppress(psutil.Error, OSError):  # what caches hold can be had, too
        free.append(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # Linux
        free += left_in_groups()
    return min(free, default=None)


GROUPS = Path("/sys/fs/cgroup")
_FILES = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of version 2 and 1 of control groups (Documentation/admin-guide of the kernel): where they are mounted,
and what a group may have, has, and has of files that can be dropped."""


def left_in_groups(root: Path = GROUPS, own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """What is left of the memory of each control group around this process that has a limit. Raises OSError
    where the system has none."""
    names = [line.split(":", 2) for line in own.read_text("utf-8").splitlines()]
    free = []
    for mounted, most, used, droppable in _FILES:
        for number, controllers, name in names:
            if (number == "0") if mounted == "" else ("memory" in controllers.split(",")):
                inside = PurePosixPath(name.lstrip("/"))
                for group in (inside, *inside.parents):
                    with suppress(OSError, ValueError):
                        free.append(_left(root / mounted / group, most, used, droppable))
    return free


def _left(group: Path, most: str, used: str, droppable: str) -> int:
    """Raises ValueError where it has no limit (`max`), OSError where it is not seen from inside."""
    limit = int((group / most).read_text("utf-8"))
    stat = dict(line.split() for line in (group / "memory.stat").read_text("utf-8").splitlines())
    return max(0, limit - int((group / used).read_text("utf-8")) + int(stat[droppable]))


def _or_none(fact: Callable[[], T]) -> T | None:
    """None where the system does not tell."""
    import psutil

    with suppress(psutil.Error, OSError, RuntimeError):
        return fact()
    return None


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:  # no such file: not a Linux distribution
        name = platform.system()
    return f"{name}, {platform.system()} {platform.release()}"
