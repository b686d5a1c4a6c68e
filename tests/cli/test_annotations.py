"""What a job of GitHub Actions shows: workflow commands, which no text of others can end or begin."""

from __future__ import annotations

import pytest

from resnet_edge.cli import main
from resnet_edge.cli._annotations import annotate
from resnet_edge.report.junit import Case

CASES = (
    Case(group="good.onnx", name="litert cpu", outcome="pass"),
    Case(
        group="a,b:c%.tflite", name="litert cpu", outcome="fail", reasons=("100 % lost\n::error::more", "so")
    ),
    Case(group="few.onnx", name="onnxruntime cpu", outcome="inconclusive", reasons=("too few",)),
    Case(group="shaky.onnx", name="litert cpu", outcome="skipped", reasons=("drifts",)),
    Case(group="none.onnx", name="made and run", outcome="error"),
)


@pytest.fixture
def on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


@pytest.mark.usefixtures("on_github")
def test_each_case_that_did_not_pass_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    annotate(CASES)
    assert capsys.readouterr().err.splitlines() == [
        "::error title=a%2Cb%3Ac%25.tflite on litert cpu::100 %25 lost%0A::error::more",
        "::warning title=few.onnx on onnxruntime cpu::too few",
        "::notice title=shaky.onnx on litert cpu::drifts",
        "::error title=none.onnx on made and run::error",
    ]


@pytest.mark.usefixtures("on_github")
@pytest.mark.parametrize("words", [["inspect", "nowhere.tflite"], ["convert", "--io", "float"], ["convrt"]])
def test_what_kept_a_command_from_its_work_is_one_too(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    annotation, line = capsys.readouterr().err.splitlines()[-2:]
    prefix = "::error title=resnet-edge::"
    assert annotation.startswith(prefix)
    assert line == f"error: {annotation.removeprefix(prefix)}"


def test_elsewhere_there_are_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    annotate(CASES)
    with pytest.raises(SystemExit):
        main(["inspect", "nowhere.tflite"])
    assert "::" not in capsys.readouterr().err
