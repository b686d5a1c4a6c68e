"""JSON that people read, too."""

from __future__ import annotations

from typing import Any

import msgspec


def readable_json(value: Any, indent: int = 1) -> bytes:
    """Strict JSON in UTF-8, indented, with a line feed at its end; the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent) + b"\n"
