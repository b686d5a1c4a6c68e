"""What a terminal, a log line and a JSON document are shown."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.core.printable import (
    JOINERS,
    misleading_character,
    one_line,
    printable,
    printable_json,
    printable_lines,
    shell_word,
)

MOVES = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of what moves a cursor, turns the direction of writing, or is no character at all."""
ANY = st.text(st.characters(categories=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Äpfel 東京 🎉", "Äpfel 東京 🎉"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("می\u200cخواهم क्\u200dष 👩\u200d🍳", "می\u200cخواهم क्\u200dष 👩\u200d🍳"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\rb\x7f\x00", "a\\rb\\x7f\\x00"),
        ("\udc80", "\\udc80"),
    ],
)
def test_what_moves_a_cursor_is_spelled(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a\u202eb", "character 2 is U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("ab\u2067", "character 3 is U+2067 (RIGHT-TO-LEFT ISOLATE)"),
        ("\x1b[31m", "character 1 is U+001B (a control character)"),
        ("a\tb\tc", "character 2 is U+0009 (a control character)"),
        ("a\u2028b", "character 2 is U+2028 (LINE SEPARATOR)"),
        ("a\udcffb", "character 2 is the byte 0xff, which is not UTF-8"),
        ("\ud83d", "character 1 is U+D83D (a lone surrogate)"),
        ("می\u200cخواهم", ""),
        ("क्\u200dष", ""),
        ("👩\u200d🍳", ""),
        ("🏴\U000e0067\U000e0062\U000e007f", ""),
        ("שלום\u200f (a)", ""),
        ("秋田\u3000犬", ""),
        ("crème\u00a0brûlée", ""),
        ("\U0001fadc new to some Unicode", ""),
    ],
)
def test_only_what_breaks_a_line_or_shows_another_order_is_refused(name: str, fault: str) -> None:
    assert misleading_character(name) == fault


@given(ANY)
def test_what_is_not_refused_stays_on_its_line_and_can_be_written(name: str) -> None:
    if not misleading_character(name):
        assert len(name.encode().decode().splitlines()) <= 1


@given(ANY)
def test_nothing_else_is_left(text: str) -> None:
    for spelled in (printable(text), one_line(text), printable_lines(text).replace("\n", "")):
        assert not [c for c in spelled if unicodedata.category(c) in MOVES and c not in JOINERS]
        spelled.encode()
    assert printable_lines(text).count("\n") == text.count("\n")
    assert printable(printable(text)) == printable(text)


@given(ANY)
def test_a_document_says_the_same(text: str) -> None:
    spelled = printable_json(json.dumps({"a": text}, ensure_ascii=False, indent=1))
    assert json.loads(spelled) == {"a": text}
    assert not [c for c in spelled.replace("\n", "") if unicodedata.category(c) in MOVES]


@pytest.mark.skipif(not Path("/bin/bash").is_file(), reason="bash is not installed")
def test_a_word_that_was_shown_can_be_typed() -> None:
    names = [
        *("plain", "a b", "it's", "a\\b", "$HOME `ls` !x;*", "~", "Äpfel 東京 🎉", "x'; rm\n-x"),
        *("a\nb'", "a\tb7", "a\u00a0b", "a\u202eb", "👩\u200d🍳", "\x1b[31m", "a\udc80b"),
    ]
    line = " ".join(map(shell_word, names))
    assert printable(line) == line
    got = subprocess.run(
        ["/bin/bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True
    ).stdout
    assert got == b"".join(os.fsencode(name) + b"\0" for name in names)
