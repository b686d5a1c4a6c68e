"""One run at a time in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.core.errors import OutputError
from resnet_edge.core.files.alone import alone

HOLD = """
import sys
from pathlib import Path
from resnet_edge.core.files.alone import alone
alone(Path(sys.argv[1]), Path("out"))
print("held", flush=True)
input()
"""


def test_a_second_run_is_refused_until_the_first_has_ended_or_was_killed(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with first:
        assert first.stdout is not None
        first.stdout.readline()
        with pytest.raises(OutputError, match="another run is writing dist: wait for its end"):
            alone(tmp_path, Path("dist"))
        first.kill()
    os.close(alone(tmp_path, Path("dist")))


def test_a_folder_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        alone(tmp_path / "none", Path("dist"))
