"""Language tags (RFC 5646), as far as they name a file."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def is_language(tag: str) -> bool:
    """Whether it is one, as de or pt-BR."""
    return _TAG.fullmatch(tag) is not None
