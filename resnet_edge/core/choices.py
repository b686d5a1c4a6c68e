"""A name that a user typed, as one of those that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from resnet_edge.core.errors import UnknownName

NEAR = 3
"""Of similar names, how many a message gives."""


def choose(kind: str, name: str, choices: Iterable[str], also: str = "") -> str:
    """The choice that `name` means: itself, or the one that differs in capitals alone (INT8 is int8).

    Raises UnknownName, which begins with the similar ones; `also` is what could be given besides, in words.
    """
    known = tuple(choices)
    if name in known:
        return name
    same = [choice for choice in known if choice.casefold() == name.casefold()]
    if len(same) == 1:
        return same[0]
    raise UnknownName(
        f"no {kind} is called {name!r}{did_you_mean(name, known)}; choose from: {', '.join(known)}{also}"
    )


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A question to stand behind "no … is called …"; empty where no choice is similar."""
    folded = {choice.casefold(): choice for choice in choices}
    near = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=NEAR)]
    return f" (did you mean {' or '.join(near)}?)" if near else ""
