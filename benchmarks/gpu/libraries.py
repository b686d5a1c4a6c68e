"""Where pip has put the libraries of CUDA, cuDNN and TensorRT: the dynamic linker does not look there, and
packages may lie in several folders (of the system, and of the wheels that were carried)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

PLACES = ("nvidia/*/lib", "tensorrt_libs")


def library_path(folders: Sequence[str], already: str) -> str:
    """LD_LIBRARY_PATH, with what was there last; "" where there is nothing."""
    paths = [
        str(path)
        for folder in filter(None, folders)
        for pattern in PLACES
        for path in sorted(Path(folder).glob(pattern))
    ]
    return os.pathsep.join([*dict.fromkeys(paths), *([already] if already else [])])
