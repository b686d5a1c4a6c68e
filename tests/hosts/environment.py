"""In place of what `host prepare` makes, the environment of the tests themselves: it has their probes."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.hosts.sshd import Sshd

ROOT = Path(__file__).parents[2]


def stand_in(host: Sshd, before: str = "") -> None:
    """Give `host` an environment whose Python is this one; `before`: shell that runs first."""
    python = host.environment / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    # -I, the first word, leaves out PYTHONPATH, by which a clone is found.
    python.write_text(
        f"#!/bin/sh\n{before}\nshift\nPYTHONPATH={shlex.quote(str(ROOT))} "
        f'exec {shlex.quote(sys.executable)} -P "$@"\n'
    )
    python.chmod(0o755)
