"""The oldest release of a runtime for a file, as a plain value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["known", "at least", "never", "unknown"]


@dataclass(frozen=True, kw_only=True)
class RuntimeMinimum:
    """The oldest release of `runtime` that opens a file and computes it rightly.

    `state`: "known": `version` is that release. "at least": no older one does, and whether `version` does
    is not known from the file alone. "never": none does. "unknown": nothing can be said. `version` is empty
    in the last two; a date (`2024-09-27`) where the runtime has no releases. `why` is a sentence: what in
    the file asks for it, or what is not known.
    """

    runtime: str
    state: State
    version: str
    why: str


def release_key(version: str) -> tuple[int, ...]:
    """To compare releases by: `2.9` is before `2.13`. Raises ValueError where it is no such."""
    return tuple(int(part) for part in version.split("."))
