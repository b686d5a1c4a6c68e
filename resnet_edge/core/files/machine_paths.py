"""Paths of this machine, out of what is handed on: a document that travels tells not where it was made."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import resnet_edge

_ABSOLUTE = re.compile(r"(?<![\w./~\\-])(?:file://)?(?:/[^\s\"'`()<>|,;:*?/]+)+/([^\s\"'`()<>|,;:*?/]+)")

_QUOTED = re.compile(r"(['\"`])(?:file://)?(/[^'\"`]*/[^'\"`/]+)\1((?:/[^\s'\"`()<>|,;:*?/]+)*)")
"""As a shell quotes one with spaces, and goes on behind the quotation mark."""


def without_machine_paths(value: Any, roots: Iterable[Path] = ()) -> Any:
    """JSON values with every absolute path in their texts made relative: to one of `roots`, to the user's,
    the program's and the current folder; and of others, the last part alone. Keys stay. A name that looks
    like a path (`/conv/Relu`) is taken for one.
    """
    known = {Path.cwd(), Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()), _program(), *roots}
    spelled = {text for root in known for text in (str(root), os.path.realpath(root)) if os.path.isabs(text)}
    return _without(value, sorted(spelled - {"/"}, key=len, reverse=True))


def without_machine_paths_in_command(line: str) -> str:
    """A command line with names of files for absolute paths; `--option=PATH` and `word:PATH`, too."""
    try:
        words = shlex.split(line)
    except ValueError:  # no shell would read it
        return str(without_machine_paths(line))
    return shlex.join(re.sub(r"(^|[=:])(~?/.*/)(?=[^/])", r"\1", word) for word in words)


def _program() -> Path:
    return Path(resnet_edge.__file__).parent.parent


def _without(value: Any, roots: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, roots) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, roots) for item in value]
    return _text(value, roots) if isinstance(value, str) else value


def _text(text: str, roots: list[str]) -> str:
    for root in roots:
        name = os.path.basename(root)
        text = re.sub(rf"(?<![\w./~\\-]){re.escape(root)}(?:/|(?![\w.-]))", _named(name, text), text)
    text = _QUOTED.sub(_last, text)
    return _ABSOLUTE.sub(r"\1", text)


def _named(name: str, text: str) -> Any:
    """Nothing for the root before a path below it, and its name where it stands alone."""
    return lambda match: "" if match[0].endswith("/") and match.end() < len(text) else name


def _last(match: re.Match[str]) -> str:
    """Without quotation marks where it needs none: whether a path has a space is a matter of the place."""
    last = f"{match[2]}{match[3]}".rpartition("/")[2]
    return f"{match[1]}{last}{match[1]}" if " " in last else last
