"""How a sentence calls a class, or one of several labels."""

from __future__ import annotations

from collections.abc import Sequence


def class_name(number: int, names: Sequence[str]) -> str:
    """`'dog'`, as `names` have it from 0 on; `3` where they do not."""
    return f"'{names[number]}'" if number < len(names) else str(number)
