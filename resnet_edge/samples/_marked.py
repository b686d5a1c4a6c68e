"""Texts whose lines end in `// @name` where they are for some bundles alone."""

from __future__ import annotations


def for_bundle(text: str, here: set[str]) -> str:
    """The text without the lines that are marked for what is not `here`, and without the marks."""
    lines = []
    for line in text.splitlines():
        code, _, name = line.partition(" // @")
        if not name or name in here:
            lines.append(code.rstrip())
    return "\n".join(lines) + "\n"
