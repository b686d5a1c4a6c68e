"""What a worker may do beside reading files and computing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Grant:
    """By default nothing. `writes`: folders, besides the worker's own scratch folder; `network`: sockets.
    `free`: whatever the user may; for what is a program that the user trusts, and for browsers, whose
    processes need both and shut themselves in. `imports_here`: modules of the current folder, last of all.
    """

    writes: tuple[str, ...] = ()
    network: bool = False
    free: bool = False
    imports_here: bool = False

    def __or__(self, other: Grant) -> Grant:
        """Both together."""
        return Grant(
            writes=(*self.writes, *other.writes),
            network=self.network or other.network,
            free=self.free or other.free,
            imports_here=self.imports_here or other.imports_here,
        )


NOTHING = Grant()
FREE = Grant(free=True)
