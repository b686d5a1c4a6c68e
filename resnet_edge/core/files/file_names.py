"""The one rule by which a name becomes a part of a file's name."""

from __future__ import annotations

import re

_LONGEST = 150
"""Characters; file systems take 255 bytes, and schemes and suffixes follow."""


def safe_name(text: str) -> str:
    """`text` as a file name stem: letters, digits, dot, dash and underscore, and no path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_LONGEST].strip("-.") or "model"


def is_safe(name: str) -> bool:
    """Whether `name` can be a file's name as it is, in whatever folder."""
    return safe_name(name) == name
