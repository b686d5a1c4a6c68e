"""`resnet-edge search`, whole: real trials, killed, shared and made again."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.artifact import sha256_of
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Ended, Place, Running, tinted_images
from tests.hosts.environment import stand_in
from tests.hosts.sshd import Sshd

pytest.importorskip("optuna", reason="pip install 'resnet-edge[search]'")
pytestmark = pytest.mark.slow

SCHEMES = ("--choose", "pruning=none", "--choose", "scheme=fp32,dynamic,int8")
WITHOUT_A_CLOCK = ("--objectives", "accuracy,size")
"""For searches whose frontiers are compared: two measurements of latency are never the same."""


@dataclass(frozen=True)
class Searches:
    """A place to search in, and what to search with."""

    place: Place
    given: Given
    train: Path

    def words(self, *more: str) -> tuple[str, ...]:
        given = self.given
        return (
            *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
            *more,
        )

    def start(self, *more: str) -> Running:
        return self.place.start(*self.words(*more))

    def run(self, *more: str) -> Ended:
        return self.start(*more).finish()

    def report(self, folder: str = "frontier") -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.place.here / folder / "report.json").read_text("utf-8"))
        return document


@pytest.fixture
def searches(place: Place, given: Given, tmp_path: Path) -> Iterator[Searches]:
    place.command = "search"
    train = tmp_path / "train.npz"
    images, labels = tinted_images(900, seed=7)
    np.savez(train, images=images, labels=labels, class_names=np.array(NAMES))
    yield Searches(place, given, train)
    assert place.is_clean()


def points(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What chance and the clock have no part in."""
    return sorted(
        (json.dumps(one["configuration"], sort_keys=True), one["top1"], one["drop_pp"], one["size_bytes"])
        for one in report["points"]
    )


def test_what_it_shows_is_made_again_by_its_commands_and_ships(searches: Searches) -> None:
    words = (
        *("--train", str(searches.train), "--batch-size", "32", "--learning-rate", "1e-6"),
        *("--choose", "pruning=channel", "--choose", "amount=0.25", "--choose", "multiple=2"),
        *("--choose", "scheme=int8", "--choose", "calibrator=minmax", "--choose", "repair=none"),
        *("--choose", "float_layers=0,1", "--max-drop", "100", "--equal-within", "0", "--trials", "2"),
    )
    ended = searches.run(*words)
    assert ended.code in (0, 5), ended.err
    report, here = searches.report(), searches.place.here
    assert report["candidates"] == 2
    assert report["searched_on"] + report["held_out"] == 3000
    assert (here / "frontier/frontier.html").is_file()
    assert (here / "frontier/space.toml").is_file()
    for number, point in enumerate(report["points"]):
        again_in = f"again {number}"
        for line in point["commands"]:
            program, command, *rest = shlex.split(line)
            assert program == "resnet-edge"
            if command == "convert":
                rest[rest.index("--out") + 1] = again_in
            searches.place.command = command
            again = searches.place.run(*rest, *(("--overwrite",) if command != "convert" else ()))
            assert again.code in (0, 5), again.err  # so short a training need not leave a good network
        ours = here / "frontier" / point["folder"] / point["file"]
        (theirs,) = (here / again_in).glob("*.tflite")
        assert sha256_of(theirs) == sha256_of(ours), point["commands"]
    searches.place.command = "search"
    picked = searches.place.run("--from", "frontier", "--pick", "size", "--out", "dist")
    assert picked.code == 0, picked.err
    searches.place.command = "package"
    packed = searches.place.run("dist", "--out", "bundle", "--unproved")  # as above
    assert packed.code == 0, packed.err


def test_a_search_that_was_killed_goes_on_and_ends_as_one_that_was_not(searches: Searches) -> None:
    choices = ("--choose", "calibrator=minmax,mse", "--choose", "repair=none", "--trials", "4")
    words = (*SCHEMES, *WITHOUT_A_CLOCK, *choices)
    running = searches.start(*words, "--out", "killed").until("trial 1: ")
    running.signal(signal.SIGKILL).finish()
    ended = searches.run(*words, "--out", "killed")
    assert ended.code == 0, ended.err
    assert "killed.study: going on behind 2 trials" in ended.err
    assert searches.run(*words, "--out", "whole").code == 0
    assert points(searches.report("killed")) == points(searches.report("whole"))


def test_an_interrupt_leaves_the_study_alone(searches: Searches) -> None:
    ended = searches.start(*SCHEMES).until("trial 0: ").signal(signal.SIGINT).finish()
    assert ended.code == 130
    assert {each.name for each in searches.place.here.iterdir()} == {"frontier.study", "frontier.study.files"}


def test_two_processes_share_a_study(searches: Searches) -> None:
    words = (*SCHEMES, "--choose", "calibrator=minmax,mse,percentile", "--choose", "repair=none")
    share = (*WITHOUT_A_CLOCK, "--study", "shared.study", "--trials", "5")
    both = [searches.start(*words, *share, "--out", out) for out in ("one", "two")]
    assert [each.finish().code for each in both] == [0, 0]
    one, two = (searches.report(out) for out in ("one", "two"))
    assert one["candidates"] == two["candidates"] == 5
    assert points(one) == points(two)
    networks = [*(searches.place.here / "shared.study.files/graphs").glob("*[!k]")]
    assert len([each for each in networks if each.is_dir()]) == 1, "one export for both"


def test_where_nothing_meets_the_limits_the_nearest_is_named(searches: Searches) -> None:
    ended = searches.run(*SCHEMES, "--max-size", "1kB")
    assert ended.code == 3
    assert "none of 3 trials meets the limits; the nearest is trial" in ended.errors[0]
    assert "--max-size is 1,000" in ended.errors[0]
    assert not (searches.place.here / "frontier").exists()


def test_a_trial_that_fails_is_a_failed_trial(searches: Searches) -> None:
    ended = searches.run(*SCHEMES, "--choose", "float_layers=0,99")
    assert ended.code == 0, ended.err
    failed = [one for one in searches.report()["trials"] if one["state"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["reason"].startswith("--float-layers 99: after ")


def test_labels_that_the_model_does_not_know_are_doubted_before_the_trials(searches: Searches) -> None:
    """Their order is another: all it says is wrong, and no drop can show."""
    images, labels = tinted_images(900, seed=7)
    np.savez(searches.train, images=images, labels=(labels + 1) % len(NAMES))
    words = (str(searches.given.model), "--data", str(searches.train), *SCHEMES)
    ended = searches.place.run(*words)
    assert ended.code == 5, ended.err
    assert "no more than by chance: check the labels" in ended.errors[0]
    assert ended.err.index("no more than by chance") < ended.err.index("trial 0: ")


def test_a_study_of_other_images_is_refused(searches: Searches) -> None:
    assert searches.run(*SCHEMES, "--trials", "1", "--study", "net.study", "--out", "first").code == 0
    words = (str(searches.given.model), "--data", str(searches.train), *SCHEMES)
    ended = searches.place.run(*words, "--study", "net.study")
    assert ended.code == 2
    assert "net.study is of other images: give the same, or name another file" in ended.errors[0]
    assert not (searches.place.here / "frontier").exists()


def test_what_it_is_for_is_another_machine(host: Sshd, searches: Searches) -> None:
    stand_in(host)
    ended = searches.run(*SCHEMES, "--backend", "litert@pi4")
    assert ended.code == 0, ended.err
    report = searches.report()
    assert report["backend"] == "litert@pi4"
    assert all(one["p50_ms"] > 0 for one in report["points"])
    file = next((searches.place.here / "frontier/points").glob("*/report.json"))
    rows = json.loads(file.read_text("utf-8"))["parity"]
    assert {row["backend"] for row in rows} == {"litert@pi4"}
    assert host.running() == []
