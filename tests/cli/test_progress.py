"""Progress in a log: few lines, each said once."""

from __future__ import annotations

import re

import pytest

from resnet_edge.cli._progress import Lines
from resnet_edge.workers.progress import Progress


def test_a_step_has_a_line_when_it_begins_and_one_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    tell = Lines()
    for news in (
        *(Progress(step="model", note="reading it"), Progress(step="model", done=1, total=1)),
        *(Progress(step="calibrate", done=done, total=2000) for done in (0, 500, 1000, 2000)),
        *(Progress(step="write onnx", done=0, total=1), Progress(step="write onnx", done=1, total=1)),
        Progress(step="download", note="downloading", line=True),
    ):
        tell(news)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.sub(r"\d+\.\d s", "T s", captured.err).splitlines() == [
        "model: reading it …",
        "model: done in T s",
        "calibrate: 2,000 …",
        "calibrate: 2,000 done in T s",
        "write onnx: done in T s",
        "downloading",
    ]
