"""Tests of workers.variables, and that a command checks them first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.workers.variables import check_variables


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RESNET_EDGE_LOOP_SECONDS", "soon", "is 'soon': give a number of seconds"),
        ("RESNET_EDGE_MUSEUM", os.devnull, f"is '{os.devnull}', which is no folder"),
        ("RESNET_EDGE_NODE_MODULES", "a" * 5000, "names no folder"),
    ],
)
def test_a_wrong_one_is_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    check_variables()
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=message):
        check_variables()


def test_a_command_tells_it_before_any_work() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "resnet_edge", "bench", "nothing.tflite"],
        env={**os.environ, "RESNET_EDGE_LOOP_SECONDS": "-1"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "error: RESNET_EDGE_LOOP_SECONDS is '-1': give a number of seconds\n"
