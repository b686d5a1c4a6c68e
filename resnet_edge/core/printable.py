"""Text that came from somewhere, made safe to show: on a terminal, in a page, in a document."""

from __future__ import annotations

import os
import shlex


def printable(text: str) -> str:
    """The text with control characters, lone surrogates and direction marks spelled as
    escapes, so that a file or class name cannot move a cursor or break a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: str) -> str:
    """The same, with every run of white space as one space."""
    return printable(" ".join(text.split()))


def printable_lines(text: str) -> str:
    """The same for several lines: line feeds stay."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """A JSON document that says the same, with \\u escapes for what `printable` would spell."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def shell_word(text: str) -> str:
    """A word of a command that can be shown and, copied, still means `text`: what `printable` would spell
    stands in the form of bash and zsh, byte by byte (`$'...'`, POSIX.1-2024, 2.2.4)."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_typed, os.fsencode(text)))}'"


def _typed(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b"'\\"
    return chr(byte) if plain else f"\\{byte:03o}"
