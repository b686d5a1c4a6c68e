"""How a machine is named: a name of the user's ssh configuration, or `user@address[:port]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from resnet_edge.core.errors import UsageError

_ADDRESS = re.compile(
    r"(?P<user>[^@\s:/,-][^@\s:/,]*@)?(?P<machine>\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^@\s:/,\[\]-][^@\s:/,\[\]]*)"
    r"(?::(?P<port>\d{1,5}))?"
)
"""Nothing begins with a hyphen, which ssh would take for an option."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine as the user names it. `destination` is what ssh is given: a name of its configuration, or an
    address, with the user where one was named; `port` is empty where ssh knows it better."""

    name: str
    destination: str
    port: str = ""

    @classmethod
    def parse(cls, name: str) -> Host:
        """From `pi4`, `pi@192.168.0.7`, `pi@192.168.0.7:2222` or `pi@[fe80::1]:22`. Raises UsageError."""
        match = _ADDRESS.fullmatch(name)
        port = match["port"] or "" if match else ""
        if match is None or not int(port or 1) < 1 << 16 or not int(port or 1):
            raise UsageError(
                f"{name!r} names no host: give a name of your ssh configuration, or user@address[:port]"
            )
        machine = match["machine"].removeprefix("[").removesuffix("]")
        return cls(name=name, destination=f"{match['user'] or ''}{machine}", port=port)
