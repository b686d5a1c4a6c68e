"""Whether two machines run the same code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import resnet_edge

_PACKAGE = Path(resnet_edge.__file__).parent


@cache
def code_digest() -> str:
    """SHA-256 of the modules of this package, by name and content: a version says too little of a clone."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py"), key=lambda file: file.relative_to(_PACKAGE).as_posix()):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
