"""Tests of workers.sandbox where it holds only in part; what it holds is tested in test_process.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = """
import dataclasses, json, sys
from pathlib import Path
from resnet_edge.workers.sandbox import in_force, shut_in
states = [dataclasses.asdict(shut_in([sys.argv[1], "/no/such/folder"], network=True)) for _ in range(20)]
Path(sys.argv[1], "written").touch()
print(json.dumps([states[0], states[-1], dataclasses.asdict(in_force())]))
"""


def test_where_the_kernel_refuses_the_process_goes_on_and_says_why(tmp_path: Path) -> None:
    """A process can be shut in sixteen times (LANDLOCK_MAX_NUM_LAYERS); all others fail as on a system that
    has no Landlock."""
    done = subprocess.run([sys.executable, "-c", AGAIN, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, last, reason = json.loads(done.stdout)
    assert (tmp_path / "written").exists()
    assert last == reason
    assert last["files"] == last["network"] == ""
    assert last["why_not"]
    if first["files"]:
        assert last["why_not"].startswith("Landlock: ")


@pytest.mark.skipif(sys.platform == "linux", reason="for systems that have neither")
def test_elsewhere_nothing_holds() -> None:
    from resnet_edge.workers.sandbox import shut_in

    assert not shut_in([], network=False).files
