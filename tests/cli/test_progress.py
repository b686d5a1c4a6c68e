"""Progress in a log: few lines, each said once."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from resnet_edge.cli._progress import Lines
from resnet_edge.cli.terminal import progress
from resnet_edge.workers.progress import Progress, from_the_start, underway


def test_a_step_that_is_underway_ends_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for error, how in (
        (None, "done in"),
        (KeyboardInterrupt(), "stopped after"),
        (ValueError(), "stopped after"),
    ):
        with suppress(KeyboardInterrupt, ValueError), progress(quiet=False) as tell:
            with underway("model", "reading it", tell):
                pass
            tell(Progress(step="export", note="to a graph"))
            if error is not None:
                raise error
        assert re.sub(r"\d+\.\d s", "T s", capsys.readouterr().err).splitlines() == [
            *("model: reading it …", "model: done in T s"),
            *("export: to a graph …", f"export: {how} T s"),
        ]


def test_what_a_worker_does_before_its_first_report_is_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    tell = from_the_start(Lines(), "importing it")
    tell(Progress(step="images", done=1, total=1))
    tell(Progress(step="train", note="epoch 1", line=True))
    assert re.sub(r"\d+\.\d s", "T s", capsys.readouterr().err).splitlines() == [
        *("start: importing it …", "start: done in T s", "images: done in T s", "epoch 1"),
    ]


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


def test_a_long_step_says_how_far_it_is_and_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((0.0, 10.0, 100.0, 110.0, 3000.0, 6000.0))
    monkeypatch.setattr("resnet_edge.cli._progress.time.monotonic", lambda: next(clock))
    tell = Lines()
    for done in (2_000, 2_500, 7_000, 7_500, 17_000, 50_000):  # a run before had done 2,000
        tell(Progress(step="reference", done=done, total=50_000))
    assert capsys.readouterr().err.splitlines() == [
        "reference: 50,000 …",
        "reference: 7,000 of 50,000, about 14 min to go",
        "reference: 17,000 of 50,000, about 110 min to go",
        "reference: 50,000 done in 6000.0 s",
    ]
