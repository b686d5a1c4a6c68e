from __future__ import annotations

import json
from dataclasses import replace

import pytest

from resnet_edge.cli._resize_table import print_resize
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.resize_check import ResizeCheck, ResizeRow
from resnet_edge.report.resize_words import resize_document, resize_rows, resize_sentences, resize_warnings

SAME = ResizeRow(
    platform="pillow",
    users="Pillow",
    how="resizes with antialias",
    source="itself",
    mean_abs=0.0,
    max_abs=0,
    changed=0,
    lost=0,
    gained=0,
    change_pp=0.0,
    change_ci95_pp=(-1.5, 1.5),
)
WORSE = ResizeRow(
    platform="mediapipe",
    users="MediaPipe Tasks",
    how="stretches",
    source="source",
    mean_abs=3.2,
    max_abs=90,
    changed=8,
    lost=4,
    gained=1,
    change_pp=-1.2,
    change_ci95_pp=(-3.3, 0.4),
)
BETTER = replace(
    WORSE, platform="android", changed=20, lost=0, gained=9, change_pp=3.6, change_ci95_pp=(1.7, 6.7)
)
CHECK = ResizeCheck(
    file="a.tflite",
    source="photos",
    n=250,
    resized=249,
    contract=contract("pillow", 8, 8, 3),
    top1=0.93,
    rows=(SAME, WORSE, BETTER),
    unknown=("iOS: no one",),
)


def test_a_warning_tells_what_how_much_and_what_to_do_the_worst_first() -> None:
    better, worse = resize_warnings(CHECK)
    assert worse == (
        "mediapipe: MediaPipe Tasks stretches: 3.2 % of 250 photos get another answer, top-1 −1.20 pp "
        "[−3.30, 0.40]: resize with the code in the bundle first"
    )
    assert better.startswith("android: ")
    assert "it does better than pillow: if the training did not resize as pillow does" in better


def test_without_labels_a_warning_has_no_accuracy() -> None:
    row = replace(WORSE, lost=None, gained=None, change_pp=None, change_ci95_pp=None)
    check = replace(CHECK, top1=None, rows=(row,))
    assert "another answer: resize" in resize_warnings(check)[0]
    assert resize_rows(check)[0][-1] == "–"
    assert "top-1" not in resize_sentences(check)[0]


def test_where_no_answer_changes_the_limit_is_told() -> None:
    check = replace(CHECK, rows=(SAME,))
    assert resize_warnings(check) == []
    assert "at most 1.5 %" in resize_sentences(check)[1]


def test_photos_of_the_models_size_are_nothing_to_warn_of() -> None:
    check = replace(CHECK, resized=0, rows=(), unknown=())
    (sentence,) = resize_sentences(check)
    assert "250 images from photos have the 8x8 pixels that a.tflite takes: nothing resizes them" in sentence


def test_the_document_is_json_with_the_warnings() -> None:
    contents = json.loads(json.dumps(resize_document(CHECK)))
    assert (contents["n"], contents["contract"]["name"], len(contents["warnings"])) == (250, "pillow", 2)
    assert contents["rows"][1]["change_ci95_pp"] == [-3.3, 0.4]


@pytest.mark.parametrize("width", [80, 40])
def test_the_terminal_cuts_nothing(capsys: pytest.CaptureFixture[str], width: int) -> None:
    print_resize(CHECK, width)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "[−3.30, 0.40]" in out
    plain = " ".join(out.split())
    assert "warning: mediapipe: MediaPipe Tasks stretches" in plain
    assert "note: Not known: iOS: no one" in plain
