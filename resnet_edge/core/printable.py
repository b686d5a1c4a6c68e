"""Text that came from somewhere, made safe to show: on a terminal, in a page, in a document."""

from __future__ import annotations

import os
import shlex
import unicodedata

JOINERS = "\u200c\u200d"
"""Zero width non-joiner and joiner. Persian and the scripts of India are spelled with them, and emoji of
several parts (The Unicode Standard 17, 23.2); neither moves a cursor or turns the direction of writing."""
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Embeddings, overrides and isolates, which show what follows in another order than it is stored in (Unicode
Standard Annex 9, 2; CVE-2021-42574). The marks U+200E, U+200F and U+061C do not: they are Hebrew and Arabic
spelling."""


def printable(text: str) -> str:
    """The text with control characters, lone surrogates and direction marks spelled as
    escapes, so that a file or class name cannot move a cursor or break a line."""
    return "".join(
        c if c.isprintable() or c in JOINERS else c.encode("unicode_escape").decode("ascii") for c in text
    )


def misleading_character(text: str) -> str:
    """The first character of a name that would break a line, move a cursor, or show what follows in another
    order, and its position: `character 2 is U+202E (RIGHT-TO-LEFT OVERRIDE)`; empty where there is none.

    What else is invisible, or new to this Python's Unicode, is part of names that people write: joiners,
    marks of direction, wide spaces, soft hyphens, the tags of flags."""
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Zl", "Zp") or character in TURNS:
            return f"character {position} is {_described(character)}"
    return ""


def _described(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries it (PEP 383)
        return f"the byte 0x{code - 0xDC00:02x}, which is not UTF-8"
    kind = "a lone surrogate" if unicodedata.category(character) == "Cs" else "a control character"
    return f"U+{code:04X} ({unicodedata.name(character, kind)})"


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
