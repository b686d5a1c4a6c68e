"""Commands whose shards run on a Ray cluster of two nodes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place
from tests.workers.cluster.fixtures import RayCluster

BESIDE = {"costs", "notes", "latency", "machine", "versions", "calibration_lint"}
"""Of a report what says where and when, and the lint, which looks at as many images as some seconds allow;
the rest is to be the same to the bit."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


def verifying(given: Given, converted: Path, *words: str) -> list[str]:
    options = ["--reference", str(given.model), "--data", str(given.data), "--max-drop", "2"]
    return [str(converted), *options, "--calibration", str(given.calibration), "--json", *words]


def own(place: Place, cluster: RayCluster, name: str) -> Mapping[str, str]:
    return {**cluster.environment, "XDG_CACHE_HOME": str(place.here.parent / name)}


def compared(document: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on where it ran."""
    return {key: value for key, value in document.items() if key not in BESIDE}


@pytest.mark.slow
def test_verify_gives_the_same_bits_as_here(
    ray_cluster: RayCluster, given: Given, converted: Path, place: Place
) -> None:
    here = place.run(*verifying(given, converted), environment=own(place, ray_cluster, "here"))
    there = place.run(
        *verifying(given, converted, "--cluster", ray_cluster.word),
        environment=own(place, ray_cluster, "there"),
    )
    assert (here.code, there.code) == (0, 0), there.err
    a, b = json.loads(here.out), json.loads(there.out)
    assert compared(a) == compared(b)
    assert len(b["parity"]) == 4
    assert b["machine"]["cluster"]["address"] == ray_cluster.word
    assert len(b["machine"]["cluster"]["nodes"]) == 2
    assert not any("ran on this machine" in note for note in b["notes"])
    assert any(cost["stage"] == "reference 1 on the cluster" and cost["seconds"] for cost in b["costs"])
    assert any(cost["stage"] == "proof 1 on the cluster" and cost["seconds"] for cost in b["costs"])
    assert place.is_clean()
    assert ray_cluster.left() == []


@pytest.mark.slow
def test_convert_makes_the_same_files_as_here(
    ray_cluster: RayCluster, given: Given, converted: Path, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    ended = place.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--schemes", "fp32,int8", "--latency-seconds", "0", "--max-drop", "2", "--out", "dist"),
        *("--cluster", ray_cluster.word),
        environment=ray_cluster.environment,
    )
    assert ended.code == 0, ended.err
    dist = place.here / "dist"
    a, b = (json.loads((folder / "report.json").read_text("utf-8")) for folder in (converted, dist))
    assert [one["sha256"] for one in a["artifacts"]] == [one["sha256"] for one in b["artifacts"]]
    assert (a["parity"], a["calibration"]) == (b["parity"], b["calibration"])
    assert any(cost["stage"] == "calibration on the cluster" and cost["seconds"] for cost in b["costs"])
    assert place.is_clean()
    assert ray_cluster.left() == []


@pytest.mark.slow
def test_verify_survives_the_loss_of_a_node(
    losing_cluster: RayCluster, given: Given, converted: Path, place: Place
) -> None:
    words = verifying(given, converted, "--no-explain", "--attribute", "0")
    here = place.run(*words, environment=own(place, losing_cluster, "here"))
    running = place.start(
        *words, "--cluster", losing_cluster.word, environment=own(place, losing_cluster, "there")
    )
    running.until("reference: 3,000")
    time.sleep(2)
    losing_cluster.lose_a_node()
    there = running.finish()
    assert (here.code, there.code) == (0, 0), there.err
    assert compared(json.loads(here.out)) == compared(json.loads(there.out))
    assert place.is_clean()
    assert losing_cluster.left() == []


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_there(
    ray_cluster: RayCluster, given: Given, converted: Path, place: Place
) -> None:
    running = place.start(
        *verifying(given, converted, "--cluster", ray_cluster.word),
        environment=own(place, ray_cluster, "there"),
    )
    running.until("reference: 3,000")
    ended = running.signal(signal.SIGINT).finish()
    assert ended.code == 130, ended.err
    assert place.is_clean()
    assert ray_cluster.left() == []


def refused(place: Place, given: Given, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
    options = ["--reference", str(given.model), "--data", str(given.data)]
    return place.run("some.tflite", *options, *words, environment=environment)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--cluster", "dask://head:8786"], 2, "names no cluster that is known here: say ray"),
        (["--cluster", "ray:head"], 2, "has no HOST:PORT"),
        (["--cluster", "ray", "--backends", "litert@pi4"], 2, "finds the machines itself: name litert alone"),
        (["--cluster", "ray", "--backends", "litert:gpu"], 2, "over ssh, as litert:gpu@HOST"),
        (["--cluster", "ray", "--golden", "g.npz"], 2, "cannot be used with --golden"),
    ],
)
def test_what_no_cluster_can_do_is_refused_at_once(
    place: Place, given: Given, words: list[str], code: int, says: str
) -> None:
    ended = refused(place, given, *words)
    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert place.is_clean()


def test_a_cluster_that_is_not_there_is_said(place: Place, given: Given, converted: Path) -> None:
    pytest.importorskip("ray", reason="the extra [cluster] is not installed")
    ended = place.run(*verifying(given, converted, "--cluster", "ray:127.0.0.1:1"))
    assert ended.code == 3
    assert "nothing answers there (Connection refused): start one with `ray start --head`" in ended.err
    assert place.is_clean()


def test_latency_is_never_measured_there(place: Place) -> None:
    place.command = "bench"
    ended = place.run("dist", "--cluster", "ray")
    assert ended.code == 2
    assert "--backends litert@HOST" in ended.err
