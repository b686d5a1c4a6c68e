"""Text as a literal of a programming language, for code that is generated: one function a language.

What stands in the literal is the text and nothing else, whatever it is. All raise UnicodeEncodeError for a
lone surrogate, which no source file can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_C_KEYWORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t "
    "class compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield "
    "decltype default delete do double dynamic_cast else enum explicit export extern false float for friend "
    "goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private "
    "protected public register reinterpret_cast requires restrict return short signed sizeof static "
    "static_assert static_cast struct switch template this thread_local throw true try typedef typeid "
    "typename typeof union unsigned using virtual void volatile wchar_t while xor xor_eq"
)
"""Of C 23 and C++ 20."""


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
    """A name that C and C++ take for a variable."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return f"model_{name}" if not name or name[0].isdigit() or name in _C_KEYWORDS.split() else name


def _quoted(text: str, special: str, escaped: Callable[[str], str]) -> str:
    """Between quotation marks: ASCII as it is, a backslash before what is `special`, the rest `escaped`."""
    inner = (f"\\{c}" if c in special else c if " " <= c <= "~" else escaped(c) for c in text)
    return f'"{"".join(inner)}"'


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
