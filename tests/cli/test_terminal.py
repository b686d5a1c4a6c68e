"""What a person sees: one line, and nothing that moves the cursor."""

from __future__ import annotations

import json

import pytest

from resnet_edge.cli.terminal import (
    command_line,
    fail,
    print_error_document,
    print_json,
    progress,
    say,
    say_note,
)
from resnet_edge.core.errors import DataError
from resnet_edge.workers.progress import Progress


def test_an_error_is_one_line_whatever_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    fail(str(DataError("first\n  second\tthird")))
    assert capsys.readouterr().err == "error: first second third\n"


def test_a_terminal_gets_it_wrapped_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    path = "/a/very/long/path/that/must/stay/whole/to-be-copied.keras"
    fail(f"no such file as {path}: check the path, or name another one")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["error: no such file as", f"  {path}:", "  check the path, or name another one"]


def test_a_note_is_wrapped_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    say_note("zeros shrink the download")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    say_note("zeros shrink the download")
    assert capsys.readouterr().out.splitlines() == [
        "note: zeros shrink the download",
        "note: zeros shrink",
        "  the download",
    ]


def test_an_error_as_a_document_is_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    print_error_document("a \x1b[31m\nb é", 3)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"error": "a \\x1b[31m b é", "exit_code": 3}, "")


def test_a_document_says_the_same_and_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"name": "a\x1b[31m\u202eb 日本", "number": 1.5}
    print_json(document)
    out = capsys.readouterr().out
    assert json.loads(out) == document
    assert out.replace("\n", "").isprintable()


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo\r\x1b[2J", err=True)
    assert capsys.readouterr() == ("", "one\ntwo\\r\\x1b[2J\n")


def test_the_command_is_repeated_as_a_shell_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/resnet-edge", "convert", "my net.keras", "--out", "$HOME"])
    assert command_line() == "resnet-edge convert 'my net.keras' --out '$HOME'"


@pytest.mark.parametrize(("stdout", "stderr"), [(True, True), (False, True), (True, False)])
def test_lines_that_stay_are_known_where_a_person_sees_both_streams(
    stdout: bool, stderr: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: stderr, raising=False)
    stays: set[str] = set()
    with progress(False, stays) as report:
        report(Progress(step="lint", note="note: few images", line=True))
        report(Progress(step="lint", note="photos"))
    assert stays == ({"note: few images"} if stdout and stderr else set())
    assert "note: few images" in capsys.readouterr().err
