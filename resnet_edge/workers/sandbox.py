"""A process that shuts itself in: what it may write, and whether it may ask a network.

Linux alone has it for everybody: Landlock (https://docs.kernel.org/userspace-api/landlock.html) for files,
and a seccomp filter (https://docs.kernel.org/userspace-api/seccomp_filter.html) for sockets, of which
Landlock knows those of TCP only. Both hold for the calling thread, what it starts, and for good, so they
come before a library has started threads. Where the kernel has neither, nothing is refused, and `doctor`
says so: this stands behind the checks of what a file may name, and never in their place.

By hand, as it is three system calls and eight instructions, and the libraries for it are younger than this.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""The same on every architecture (linux/landlock.h has all that follows)."""
VERSION_FLAG = 1
PATH_BENEATH = 1
WRITE_FILE, REMOVE_DIR, REMOVE_FILE, TRUNCATE = 1 << 1, 1 << 4, 1 << 5, 1 << 14
MAKE = 0b1111111 << 6
"""Of devices, folders, files, sockets, pipes and links."""
REFER = 1 << 13
TCP = 0b11
"""To bind and to connect."""
SCOPES = 0b11
"""Abstract sockets and signals stay inside."""
OLDEST_ABI = 2
"""Before, no file can be moved from one folder to another, wherever they are."""
ABI_OF_TRUNCATE, ABI_OF_TCP, ABI_OF_SCOPES = 3, 4, 6

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2
CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198), "riscv64": (0xC00000F3, 198)}
"""The audit number of an architecture and its number of socket(2)."""
IO_URING_SETUP = 425
"""It opens sockets without socket(2)."""
X32 = 0x40000000
"""x86-64 has a second set of numbers from here on."""

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "dri", "kfd", "mali0")
"""What a program may write to in /dev: nothing keeps it. With drivers of GPUs."""


@dataclass(frozen=True, kw_only=True)
class Shut:
    """What holds in a process. "" where nothing does; `why_not` says why."""

    files: str = ""
    network: str = ""
    why_not: str = ""


_in_force = Shut(why_not="this process was not to be shut in")


def in_force() -> Shut:
    """What holds in this process."""
    return _in_force


def shut_in(writes: Iterable[str], *, network: bool) -> Shut:
    """From now on this thread, and what it starts, may write below the folders `writes` alone, and open
    sockets only with `network`. A folder that is not there is left out."""
    global _in_force
    _in_force = _shut_in(writes, network=network)
    return _in_force


def _shut_in(writes: Iterable[str], *, network: bool) -> Shut:
    if sys.platform != "linux":
        return Shut(why_not=f"{platform.system()} has no Landlock")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return Shut(why_not=f"no_new_privs: {os.strerror(ctypes.get_errno())}")
    files = _read_only(libc, writes, network=network)
    sockets = "" if network else _without_sockets(libc)
    reasons = [text for text in (files, sockets) if text.startswith("!")]
    return Shut(
        files="" if files.startswith("!") else files,
        network="" if sockets.startswith("!") else sockets,
        why_not="; ".join(reason[1:] for reason in reasons),
    )


def _read_only(libc: ctypes.CDLL, writes: Iterable[str], *, network: bool) -> str:
    """What holds now, or with "!" in front why nothing does."""
    abi = libc.syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    if abi < OLDEST_ABI:
        why = os.strerror(ctypes.get_errno()) if abi < 0 else f"ABI {abi} is too old"
        return f"!Landlock: {why}"
    handled = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE | REFER
    handled |= TRUNCATE if abi >= ABI_OF_TRUNCATE else 0
    fields = [handled]
    if abi >= ABI_OF_TCP:
        fields.append(0 if network else TCP)
    if abi >= ABI_OF_SCOPES:
        fields.append(SCOPES)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = libc.syscall(CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return f"!Landlock: {os.strerror(ctypes.get_errno())}"
    try:
        for path in (*writes, *_devices()):
            _allow(libc, rules, path, handled)
        if libc.syscall(RESTRICT_SELF, rules, 0):
            return f"!Landlock: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(rules)
    return f"read-only (Landlock, ABI {abi})"


def _devices() -> list[str]:
    devices = [f"/dev/{name}" for name in DEVICES]
    with suppress(OSError):
        nvidia = [f"/dev/{name}" for name in os.listdir("/dev") if name.startswith("nvidia")]
        # CUDA keeps memory that its processes share there.
        devices += [*nvidia, "/dev/shm"] if nvidia else []
    return devices


def _allow(libc: ctypes.CDLL, rules: int, path: str, handled: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = handled if os.path.isdir(path) else handled & (WRITE_FILE | TRUNCATE)
        libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


class _Filter(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _without_sockets(libc: ctypes.CDLL) -> str:
    """What holds now, or with "!" in front why nothing does. Pairs of sockets, which have no other end
    than their own, go on."""
    machine = platform.machine()
    if machine not in CALLS or sys.maxsize < 2**32:
        return f"!seccomp: unknown calls of {machine}"
    number, socket = CALLS[machine]
    load, equal, least, give = 0x20, 0x15, 0x35, 0x06  # BPF_LD+W+ABS, JMP+JEQ, JMP+JGE, RET (linux/filter.h)
    program = (
        (load, 0, 0, 4),  # seccomp_data.arch
        (equal, 0, 5, number),  # the calls of another architecture have other numbers
        (load, 0, 0, 0),  # seccomp_data.nr
        (least, 3, 0, X32),
        (equal, 2, 0, socket),
        (equal, 1, 0, IO_URING_SETUP),
        (give, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
        (give, 0, 0, 0x00050000 | errno.EACCES),  # SECCOMP_RET_ERRNO
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    wanted = _Filter(len(program), code)
    if libc.prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(wanted), 0, 0):
        return f"!seccomp: {os.strerror(ctypes.get_errno())}"
    return "refused (seccomp)"
