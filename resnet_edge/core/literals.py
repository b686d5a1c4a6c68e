"""Text as a literal of a programming language, for code that is generated: one function a language.

What stands in the literal is the text and nothing else, whatever it is. All raise UnicodeEncodeError for a
lone surrogate, which no source file can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable


def javascript(text: str) -> str:
    """A string of JavaScript, or of JSON; `<` is escaped, so that it ends no script of a page."""
    text.encode()
    return json.dumps(text).replace("<", "\\u003c")


def kotlin(text: str) -> str:
    """A string of Kotlin, in which `$` begins no template."""
    text.encode()
    return _quoted(text, '"\\$', _utf16)


def swift(text: str) -> str:
    """A string of Swift; where every backslash is escaped, no interpolation begins."""
    text.encode()
    return _quoted(text, '"\\', lambda character: f"\\u{{{ord(character):x}}}")


def c_identifier(text: str) -> str:
    """A name that C and C++ take for a variable: its beginning makes it no keyword, no macro of a compiler
    (`linux`) and nothing of the library (`time`, `main`), whatever the rest is."""
    return f"model_{re.sub(r'[^A-Za-z0-9_]', '_', text)}"


def _quoted(text: str, special: str, escaped: Callable[[str], str]) -> str:
    """Between quotation marks: ASCII as it is, a backslash before what is `special`, the rest `escaped`."""
    inner = (f"\\{c}" if c in special else c if " " <= c <= "~" else escaped(c) for c in text)
    return f'"{"".join(inner)}"'


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
