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

from resnet_edge.core.printable import one_line, printable, printable_json, printable_lines, shell_word

MOVES = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of what moves a cursor, turns the direction of writing, or is no character at all."""
ANY = st.text(st.characters(categories=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Äpfel 東京 🎉", "Äpfel 東京 🎉"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\rb\x7f\x00", "a\\rb\\x7f\\x00"),
        ("\udc80", "\\udc80"),
    ],
)
def test_what_moves_a_cursor_is_spelled(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY)
def test_nothing_else_is_left(text: str) -> None:
    for spelled in (printable(text), one_line(text), printable_lines(text).replace("\n", "")):
        assert not [c for c in spelled if unicodedata.category(c) in MOVES]
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
