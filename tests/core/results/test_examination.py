"""Tests of core.results.examination."""

from __future__ import annotations

from typing import Any

import pytest

from resnet_edge.core.results.examination import BackendState, DeviceState, Examination, SandboxState


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["opens"], 0),
        (["opens", "not here"], 0),
        (["not installed"], 0),
        (["not here"], 3),
        (["broken"], 3),
        (["opens", "broken"], 3),
    ],
)
def test_the_exit_code_tells_whether_every_installed_backend_opens(statuses: list[Any], code: int) -> None:
    state = BackendState(
        "made", "1.0", tuple(DeviceState(device="cpu", status=status) for status in statuses)
    )
    sandbox = SandboxState(files="open", network="open")
    examination = Examination(machine={}, versions={}, backends=(state,), sandbox=sandbox)
    assert examination.exit_code == code
