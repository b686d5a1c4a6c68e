"""What `resnet_edge.search` refuses before any work, and what it gives. Whole runs: tests/searching/."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge import errors
from resnet_edge.api.load_report import load_report
from resnet_edge.api.reports import SearchReport
from resnet_edge.api.search import search
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.report.search_sections import search_document
from tests.api.refusals import check_refused
from tests.report.searches import POINTS, finished

FASHION: dict[str, Any] = {"data": "fashion-mnist"}
TOO_MANY = 1 << 20


@pytest.fixture
def data(here: Path) -> dict[str, Any]:
    """A folder of images, which have no training images of their own."""
    (here / "photos").mkdir()
    return {"data": "photos"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": []}, "--objectives: nothing is named"),
        ({"objectives": "accuracy,,size"}, "--objectives: one of the names .* is empty"),
        ({"budget": 0}, "--budget: '0' is no time: give a time, as in 90s or 2h"),
        ({"budget": "soon"}, "--budget: 'soon' is no time"),
        ({"trials": 0}, "--trials 0: give a whole number, 1 or more"),
        ({"max_drop": 101}, "--max-drop 101: give a number from 0 to 100"),
        ({"max_latency": "0ms"}, "--max-latency: '0ms' is no time: give a time, as in 3ms"),
        ({"max_latency": 3}, "--max-latency 3: give a text"),
        ({"max_size": 0}, "--max-size: '0' is no size"),
        ({"max_download": "x"}, "--max-download: 'x' is no size"),
        ({"equal_within": -1}, "--equal-within -1: give a number from 0 to 100"),
        ({"choose": {"scheme": []}}, "--choose: scheme has an empty list"),
        ({"choose": "amount=2"}, "--choose: amount: 2.0 is no share"),
        ({"threads": TOO_MANY}, f"--threads {TOO_MANY}: this process may use"),
        ({"out": "."}, "--out . gives the new folder no name"),
        (
            {"choose": ["pruning=none", "amount=0.5"]},
            "amount is for what is pruned: choose pruning=channel or pruning=magnitude, or leave amount out",
        ),
        ({"choose": ["scheme=fp16", "calibrator=mse"]}, "calibrator is for integers without qat_epochs"),
        ({"choose": ["pruning=magnitude", "remove_blocks=2"]}, "remove_blocks is for networks that get"),
        ({"choose": "pruning=none", "train": "fashion-mnist"}, "--train is for fine-tuning, and this search"),
        ({"choose": "pruning=none", "batch_size": 64}, "--batch-size is for fine-tuning"),
        ({"choose": "epochs=0", "learning_rate": 0.1}, "--learning-rate is for fine-tuning"),
        ({"cluster": "ray", "backend": "litert@pi4"}, "--cluster ray finds the machines itself"),
    ],
)
def test_options_that_say_nothing_or_the_opposite_are_refused_before_any_work(
    here: Path, options: dict[str, Any], message: str
) -> None:
    check_refused(lambda: search("resnet20", **{**FASHION, **options}), errors.UsageError, message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": "speed"}, "--objectives: no objective is called 'speed'"),
        ({"choose": "shceme=int8"}, "--choose: no choice is called 'shceme' .did you mean scheme"),
        ({"choose": {"scheme": ["int9"]}}, "--choose: scheme: no scheme is called 'int9'"),
        ({"backend": "litret"}, "--backend: no backend is called 'litret'"),
    ],
)
def test_names_that_are_none_are_answered_with_those_that_are(
    here: Path, options: dict[str, Any], message: str
) -> None:
    check_refused(lambda: search("resnet20", **{**FASHION, **options}), errors.UnknownName, message)


@pytest.mark.parametrize("choice", ["pruning=channel", "qat_epochs=2", "epochs=3"])
def test_what_trains_needs_images_to_train_on(here: Path, data: dict[str, Any], choice: str) -> None:
    check_refused(
        lambda: search("resnet20", **data, choose=choice),
        errors.UsageError,
        "trains, and no images to train on are named: add --train DATA",
    )


def test_without_optuna_the_extra_is_named_before_any_work(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    check_refused(
        lambda: search("resnet20", **FASHION),
        errors.MissingDependency,
        r"pip install 'resnet-edge\[search\]'",
    )


def test_a_space_of_a_file_is_held_as_one_of_options(here: Path) -> None:
    (here / "space.toml").write_text('[space]\npruning = "none"\namount = 0.5\n')
    check_refused(
        lambda: search("resnet20", **FASHION, space="space.toml"), errors.UsageError, "amount is for what is"
    )
    check_refused(
        lambda: search("resnet20", **FASHION, space="none.toml"), errors.DataError, "none.toml cannot be read"
    )


def test_a_study_that_cannot_be_written_is_refused(here: Path) -> None:
    (here / "a.study").mkdir()
    check_refused(
        lambda: search("resnet20", **FASHION, study="a.study"),
        errors.OutputError,
        "--study a.study .* folder",
    )
    check_refused(
        lambda: search("resnet20", **FASHION, out="a"), errors.OutputError, "--study a.study .* folder"
    )


def test_what_another_left_is_not_replaced(here: Path) -> None:
    (here / "frontier").mkdir()
    (here / "frontier/mine.txt").write_text("")
    check_refused(
        lambda: search("resnet20", **FASHION), errors.OutputError, "exists and is a folder: give --overwrite"
    )
    check_refused(
        lambda: search("resnet20", **FASHION, overwrite=True),
        errors.OutputError,
        "holds mine.txt, which `resnet-edge search` did not write",
    )


@pytest.fixture
def report(tmp_path: Path) -> SearchReport:
    loaded = load_report(finished(tmp_path / "frontier"))
    assert isinstance(loaded, SearchReport)
    return loaded


def test_points_are_at_hand(report: SearchReport) -> None:
    assert [point.number for point in report.frontier] == [3, 8, 14, 21, 26]
    assert report.point(14) == POINTS[2]
    assert report.pick("drop<=0.6,latency").number == 14
    with pytest.raises(
        errors.UsageError, match="no point has the number 5; those of this search: 3, 8, 14, 21, 26"
    ):
        report.point(5)
    with pytest.raises(errors.OutOfReach, match="the nearest is point 3"):
        report.pick("drop<=0.1,size")


def test_a_point_is_written_as_convert_leaves_it(report: SearchReport, tmp_path: Path) -> None:
    for point, number in ((14, 14), ("size", 26)):
        folder = report.write(point, tmp_path / f"{number}")
        assert folder == tmp_path / f"{number}"
        assert (folder / "resnet20.int8.tflite").read_text() == f"{number}"


def test_it_shows_itself(report: SearchReport) -> None:
    html = report._repr_html_()
    assert "14 (knee)" in html
    assert "<th>Point</th>" in html
    assert "int8, 40 % of the MACs pruned, 3 epochs" in html
    text = str(report)
    assert text.startswith("Frontier of resnet20\n")
    assert text.endswith("frontier.html")


def test_its_exit_code_and_why(report: SearchReport) -> None:
    assert report.exit_code == 5
    assert report.trouble is not None
    assert report.trouble.startswith("point 26: beside its own network, the drop is 3.20 pp")


def test_a_model_in_doubt_proves_nothing(report: SearchReport) -> None:
    """Whatever the verdicts, as of convert."""
    proved = tuple(replace(point, verdict="pass") for point in report.points)
    doubt = Doubt(kind="chance", sentence="the reference itself is right by chance")
    doubted = replace(report, points=proved, doubts=(doubt,))
    assert (doubted.exit_code, doubted.trouble) == (5, doubt.sentence)
    assert doubt.sentence in doubted._repr_html_()
    page = search_document(doubted)
    assert (page.outcome, page.why) == ("inconclusive", (doubt.sentence,))
    accepted = replace(doubted, doubts=(replace(doubt, accepted=True),))
    assert (accepted.exit_code, accepted.trouble) == (0, None)
