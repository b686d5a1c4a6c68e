"""Texts whose lines end in `// @name` where they are for some bundles alone, and with `@NAME@` for values."""

from __future__ import annotations

import re
from collections.abc import Mapping


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with `@NAME@`, or `"@NAME@"`, as the value of NAME: code, which `core.literals` makes of text.
    In one pass: a value may hold what looks like a name."""
    return re.sub(r'("?)@([A-Z]+)@\1', lambda match: values[match[2]], text)


def for_bundle(text: str, here: set[str]) -> str:
    """The text without the lines that are marked for what is not `here`, and without the marks."""
    lines = []
    for line in text.splitlines():
        code, _, name = line.partition(" // @")
        if not name or name in here:
            lines.append(code.rstrip())
    return "\n".join(lines) + "\n"
