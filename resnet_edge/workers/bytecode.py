"""The bytecode of what workers import, written once by a process that may.

Installers such as uv leave it to the first import to compile a package. A worker that is shut in cannot
write it down, and must not: whoever can puts code into the next worker. It would compile anew each time:
importing Keras took 11 s of processor time in place of 3.4 s.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import resnet_edge
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.core.packages import EXTRAS
from resnet_edge.workers.environment import worker_environment

_IMPORT_ALL = """
import compileall, importlib, sys
compileall.compile_dir(sys.argv[1], quiet=2)
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except BaseException:
        pass
"""

_PACKAGE = Path(resnet_edge.__file__).parent
_lock = threading.Lock()
_checked = False


def write_missing() -> None:
    """Import, in a process of its own, what was never imported here; the first time in this process only."""
    global _checked
    with _lock:
        if _checked:
            return
        _checked = True
        missing = [name for name in EXTRAS if _is_missing(name)]
        own = _cache_of(str(_PACKAGE / "evaluation" / "source.py"))
        if sys.dont_write_bytecode or not (missing or _can_create(own)):
            return
        # In the environment of a worker: nothing comes from the current folder, and onnxruntime tells nobody.
        with scratch_folder() as scratch, Path(os.devnull).open("wb") as nowhere:
            subprocess.run(
                [sys.executable, "-P", "-c", _IMPORT_ALL, str(_PACKAGE), *missing],
                stdin=subprocess.DEVNULL,
                stdout=nowhere,
                stderr=nowhere,
                env=worker_environment(scratch, {}),
                check=False,
            )


def _is_missing(name: str) -> bool:
    """Whether a package is installed, and has no bytecode where some can be written."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.cached is None or spec.origin is None:
        return False
    return _can_create(_cache_of(spec.origin))


def _cache_of(source: str) -> str:
    """Workers do not optimize, whatever PYTHONOPTIMIZE says here."""
    return importlib.util.cache_from_source(source, optimization="")


def _can_create(cached: str) -> bool:
    place = Path(cached).parent
    while not place.exists():
        place = place.parent
    return not Path(cached).exists() and place.is_dir() and os.access(place, os.W_OK)
