"""Under which key a record has its photo, and under which its label."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.errors import DataError


def photo_key(names: Iterable[str], known: tuple[str, ...], title: str) -> str:
    """The first of `known` among `names`. Raises DataError with those that are there."""
    names = sorted(names)
    for key in known:
        if key in names:
            return key
    there = ", ".join(names) or "nothing"
    raise DataError(f"{title} has no {_either(known)}; it has {there}: call the bytes of the photo so")


def label_key(names: Iterable[str], known: tuple[str, ...], title: str) -> str | None:
    """The first of `known` among `names`, None where nothing there is called a label. Raises DataError where
    another is: labels that are there are not passed over."""
    names = sorted(names)
    for key in known:
        if key in names:
            return key
    others = [name for name in names if "label" in name.lower()]
    if others:
        raise DataError(
            f"{title} has no {_either(known)}, and has {', '.join(others)}: call the number of the class so, "
            f"or leave that out"
        )
    return None


def _either(known: tuple[str, ...]) -> str:
    return " or ".join(f"'{key}'" for key in known)
