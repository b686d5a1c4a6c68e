"""What is known of another machine, and what `host prepare` did there, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_SKEW_SECONDS = 180.0
"""How far apart two clocks may be before it is said: what make and caches that go by the times of files take
for new or old is wrong beyond it, and TLS certificates begin to be."""


@dataclass(frozen=True, kw_only=True)
class HostEnvironment:
    """A runtime-only environment on a host. `python` and `machine` are those that it was made for, `packages`
    the version of each distribution, `wheels` the SHA-256 of each file that it was made of; `starts` is
    whether its Python still does."""

    resnet_edge: str
    python: str
    machine: str
    packages: dict[str, str]
    wheels: dict[str, str]
    starts: bool = True


@dataclass(frozen=True, kw_only=True)
class HostPython:
    """A Python on a host. `libc` is empty where it is not glibc; `markers` are those of PEP 508."""

    path: str
    version: str
    machine: str
    libc: str
    markers: dict[str, str]
    problem: str = ""

    @property
    def release(self) -> tuple[int, int]:
        """3 and 11 of 3.11.2."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)


@dataclass(frozen=True, kw_only=True)
class HostState:
    """What is there: `system` and `machine` as uname says, free bytes in the home, what was brought there in
    bytes (`host remove` frees them), by how many seconds its clock is ahead of ours, its Pythons, the
    environment (None: not prepared) and the wheels that it keeps, by SHA-256."""

    host: str
    system: str
    machine: str
    free_bytes: int
    taken_bytes: int
    clock_ahead_seconds: float
    writable: bool
    pythons: tuple[HostPython, ...]
    environment: HostEnvironment | None
    kept: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class HostPreparation:
    """What `host prepare` did. `changed` is False where the environment was there already."""

    host: str
    system: str
    machine: str
    libc: str
    environment: HostEnvironment
    copied_bytes: int
    copied_files: int
    seconds: float
    changed: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HostRemoval:
    """What `host remove` did: the bytes that it freed, 0 where nothing was there."""

    host: str
    freed_bytes: int


def clock_note(state: HostState) -> str:
    """One line where the clocks differ by more than a few minutes, else nothing."""
    ahead = state.clock_ahead_seconds
    if abs(ahead) <= LARGEST_SKEW_SECONDS:
        return ""
    amount = abs(ahead)
    words = f"{amount / 3600:,.1f} hours" if amount >= 7200 else f"{amount / 60:.0f} minutes"
    return (
        f"the clock of {state.host} is {words} {'ahead of' if ahead > 0 else 'behind'} this machine's: "
        "times of files and of reports do not compare (a Raspberry Pi has no clock of its own: let it get "
        "the time from the network, timedatectl set-ntp true)"
    )
