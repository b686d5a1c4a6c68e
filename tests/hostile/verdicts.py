"""What may come of a file of others: it is taken, or refused in one line that names it and says a way out."""

from __future__ import annotations

import re

from resnet_edge.core.printable import one_line

_VERBS = (
    "add|ask|begin|build|call|change|choose|close|convert|copy|cut|end|export|free|give|install|leave|lower|make|"
    "fix|move|name|number|open|point|put|quantize|rebuild|remove|rename|replace|resize|run|save|say|send|shorten|"
    "take|train|turn|use|write"
)
_WAY_OUT = re.compile(rf"[:;,] (?:\w+ ){{0,2}}(?:{_VERBS})\b|\bmust (?:be|hold|say|differ)\b|: one .+ per ")
"""A verb behind a colon, a semicolon or a comma, with two words between them at most."""
_OURS = re.compile(r"\bbroke:|a bug of|Traceback|sent nonsense|sent no |stopped answering")
LONGEST = 1500


def fault(message: str, *names: str) -> str | None:
    """What is wrong with the message of an error about a file that goes by one of `names`; None: nothing."""
    line = one_line(message)
    if (match := _OURS.search(message)) is not None:
        return f"it says {match[0]!r}"
    if not any(name in line for name in names):
        return "it does not name the file"
    if _WAY_OUT.search(line) is None:
        return "it says no way out"
    if len(line) > LONGEST:
        return f"it is {len(line)} letters long"
    return None
