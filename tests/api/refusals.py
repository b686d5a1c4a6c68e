"""What a function refuses before any work: one line, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def check_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """`call` raises `error` with `message` in one line, and leaves nothing new in the current folder."""
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(error, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)
    assert sorted(Path.cwd().rglob("*")) == before
