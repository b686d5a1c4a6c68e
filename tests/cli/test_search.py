"""`resnet-edge search`: what it refuses, and a finished search shown and picked from. The search itself is
run whole by tests/searching/."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from resnet_edge.cli import main
from resnet_edge.cli._search import print_frontier
from resnet_edge.core.results.doubt import Doubt
from tests.report.searches import POINTS, RESULT, finished


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["search", *words], prog_name="resnet-edge")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a finished search in it."""
    monkeypatch.chdir(tmp_path)
    finished(tmp_path / "frontier")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "MODEL is missing: name what to make smaller and faster, or --from DIR"),
        (("m.keras",), 2, "--data is missing: every point is proved on images"),
        (("m.keras", "--pick", "size"), 2, "--pick takes a point of a finished search: name its folder"),
        (("m.keras", "--from", "frontier"), 2, "--from searches nothing: leave out MODEL"),
        (("--from", "frontier", "--seed", "3"), 2, "--seed is for a search: leave it out with --from"),
        (("--from", "frontier", "--out", "x"), 2, "--out is for a point of the search: add --pick RULE"),
        (
            ("--from", "frontier", "--pick", "99"),
            2,
            "no point has the number 99; those of this search: 3, 8, 14",
        ),
        (("--from", "frontier", "--pick", "²"), 2, "no objective is called '²'"),
        (("--from", "frontier", "--pick", "speed"), 2, "no objective is called 'speed'"),
        (("--from", "frontier", "--pick", "drop<1,size"), 2, "'drop<1': write drop<=1"),
        (("--from", "frontier", "--pick", "drop<=0,size"), 3, "the nearest is point 3"),
        (("--from", "nothing"), 3, "nothing cannot be read"),
        (("--from", "frontier/points/14"), 3, "is no search: name a folder that `resnet-edge search` wrote"),
        (("m.keras", "--data", "fashion-mnist", "--budget", "0s"), 2, "give a time, as in 90s or 2h"),
        (("m.keras", "--data", "fashion-mnist", "--trials", "0"), 2, "0 is not in the range"),
        (
            ("m.keras", "--data", "fashion-mnist", "--objectives", "speed"),
            2,
            "no objective is called 'speed'",
        ),
        (("m.keras", "--data", "fashion-mnist", "--objectives", ""), 2, "nothing is named"),
        (("m.keras", "--data", "fashion-mnist", "--max-latency", "3"), 2, "give a time, as in 3ms"),
        (("m.keras", "--data", "fashion-mnist", "--max-size", "tiny"), 2, "give a size, as in 300kB"),
        (("m.keras", "--data", "fashion-mnist", "--choose", "scheme"), 2, "write NAME=VALUE,…"),
        (("m.keras", "--data", "fashion-mnist", "--backend", "litert:cpu@"), 2, "'' names no host"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    here: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    before = sorted(here.rglob("*"))
    result = run(*words)
    assert result.exit_code == code, result.output
    line = result.stderr.strip()
    assert line.startswith("error: ")
    assert "\n" not in line
    assert message in line
    assert sorted(here.rglob("*")) == before


def test_a_finished_search_is_shown(here: Path) -> None:
    result = run("--from", "frontier")
    assert result.exit_code == 0, result.output
    assert "14  int8, 40 % of the MACs pruned, 3 epochs (knee)" in result.stdout
    assert "5,000 images chose among 9 candidates" in result.stdout
    document = json.loads(run("--from", "frontier", "--json").stdout)
    assert (document["kind"], len(document["points"])) == ("search", 5)
    assert run("--from", "frontier", "--quiet").output == ""


@pytest.mark.parametrize("rule", ["drop<=0.6,latency", "14", " 14 "])
def test_a_point_is_written_by_a_rule_or_by_its_number(here: Path, rule: str) -> None:
    result = run("--from", "frontier", "--pick", rule, "--out", "chosen")
    assert result.exit_code == 0, result.output
    assert "next, the bundle for an app: resnet-edge package chosen" in result.stdout
    assert (here / "chosen/resnet20.int8.tflite").read_bytes() == b"14"
    assert sorted(p.name for p in here.iterdir()) == ["chosen", "frontier"]


def test_without_out_it_is_dist_and_json_says_which_point(here: Path) -> None:
    result = run("--from", "frontier", "--pick", "size", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["point"]["number"], document["folder"]) == (26, "dist")
    assert (here / "dist/report.json").is_file()


def test_what_is_not_proved_is_not_sent_to_package(here: Path) -> None:
    result = run("--from", "frontier", "--pick", "26")
    assert "next, on more images: resnet-edge verify dist --data MORE_IMAGES" in result.stdout


def test_what_is_there_is_replaced_only_where_that_is_asked_for(here: Path) -> None:
    assert run("--from", "frontier", "--pick", "14").exit_code == 0
    refused = run("--from", "frontier", "--pick", "8")
    assert refused.exit_code == 3
    assert "give --overwrite to replace what 'convert' left there" in refused.stderr
    assert run("--from", "frontier", "--pick", "8", "--overwrite").exit_code == 0
    assert (here / "dist/resnet20.int8.tflite").read_bytes() == b"8"


@pytest.mark.parametrize("width", [44, 80, 120])
def test_the_table_fits_its_terminal_and_cuts_no_number(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    print_frontier(RESULT, width=width)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    flat = " ".join(out.split())
    for figure in ("94.47 %", "0.31", "[0.09, 0.55]", "0.610", "205 kB", "inconclusive", "1.10 MB"):
        assert figure in flat
    assert "Points 3 and 8 cannot be told apart" in flat
    assert "The knee is point 14" in flat
    assert "note: two trials failed: their logs are kept" in flat


def test_at_80_columns_the_points_fit_24_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_frontier(RESULT, width=80)
    lines = capsys.readouterr().out.splitlines()
    assert next(i for i, line in enumerate(lines) if line.startswith("Points 3 and 8")) <= 20


def test_outside_strings_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    hostile: Any = replace(RESULT, model=replace(RESULT.model, name="\x1b[2J\n"), notes=("\x1b[31m\udcff",))
    print_frontier(hostile, width=80)
    assert "\x1b" not in capsys.readouterr().out


def test_an_unlabelled_search_without_latency_has_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    bare = replace(POINTS[0], top1=None, top1_ci95=None, p50_ms=None, p50_ci95_ms=None)
    print_frontier(replace(RESULT, points=(bare,)), width=120)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("3  int8"))
    assert line.split()[2] == "–"


def test_what_speaks_against_the_model_is_said_before_other_notes(capsys: pytest.CaptureFixture[str]) -> None:
    doubt = Doubt(kind="chance", sentence="right by chance", accepted=True)
    print_frontier(replace(RESULT, doubts=(doubt,)), width=120)
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert notes[0] == "note: right by chance (accepted)"
