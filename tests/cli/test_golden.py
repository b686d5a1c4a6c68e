"""What is printed of a replay of golden vectors; tests/golden/test_replay.py replays real ones."""

from __future__ import annotations

import pytest

from resnet_edge.cli._golden import print_golden
from resnet_edge.core.results.golden_vectors import GoldenRow, GoldenVectors, GoldenVerdict
from resnet_edge.golden.replay import GoldenReplay

VECTORS = GoldenVectors(
    model="net",
    model_sha256="cd" * 32,
    data="photos",
    data_sha256="ef" * 32,
    output="logits",
    image_shape=(4, 4, 1),
    classes=3,
    class_names=(),
    rows=(1, 5, 9),
    labels=None,
    artifacts=(),
)


def row(verdict: GoldenVerdict, *, steps: int | None = None, allowed: int | None = None) -> GoldenRow:
    ran = verdict != "not run"
    return GoldenRow(
        artifact="net.int8.tflite",
        backend="litert",
        device="cpu",
        n=3,
        max_abs=0.125 if ran else None,
        steps=steps,
        same_top1=3 if ran else None,
        near_ties=1,
        allowed_max_abs=0.25,
        allowed_steps=allowed,
        verdict=verdict,
        reasons=() if verdict == "pass" else ("a reason\x1b[2J",),
    )


@pytest.mark.parametrize(
    ("steps", "allowed", "texts"),
    [(1, 2, ["1 step", "2 steps"]), (None, None, ["0.12", "0.25"]), (3, None, ["0.12", "0.25"])],
)
def test_steps_are_told_where_they_decide(
    steps: int | None, allowed: int | None, texts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    print_golden(GoldenReplay("golden.npz", VECTORS, (row("pass", steps=steps, allowed=allowed),)))
    text = capsys.readouterr().out
    assert all(words in text for words in (*texts, "3 (1 near-ties)", "3 images of photos"))


def test_reasons_stand_under_the_table_and_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_golden(GoldenReplay("golden.npz", VECTORS, (row("not run"),), left=("other.onnx",)))
    text = capsys.readouterr().out
    assert "net.int8.tflite on litert cpu: a reason\\x1b[2J" in text
    assert "not given: other.onnx" in text
    assert "\x1b" not in text
