"""What a person sees: one line, and nothing that moves the cursor."""

from __future__ import annotations

import pytest

from resnet_edge.cli.terminal import fail
from resnet_edge.core.errors import DataError


def test_an_error_is_one_line_whatever_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    fail(str(DataError("first\n  second\tthird")))
    assert capsys.readouterr().err == "error: first second third\n"
