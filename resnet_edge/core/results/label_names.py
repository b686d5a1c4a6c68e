"""Class names, as a report remembers them: whether labels.txt is still the one that `convert` wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabelNames:
    """Hashes of class names: `sha256` in the order of the model's outputs, a line feed behind each, and
    `sorted_sha256` in that of the alphabet. The second tells names that were moved from names that were
    changed."""

    sha256: str
    sorted_sha256: str


def label_names(names: Iterable[str]) -> LabelNames:
    """What is remembered of these names."""
    known = list(names)
    return LabelNames(sha256=_sha256(known), sorted_sha256=_sha256(sorted(known)))


def _sha256(names: list[str]) -> str:
    return hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()
