"""Runs with a host in the middle of which something ends: here, there, or between."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place, Running
from tests.hosts import sshd as servers
from tests.hosts.environment import stand_in
from tests.hosts.sshd import Sshd

THERE = "litert@pi4"
OFFER, PROOF, LATENCY = "", f"tiny.fp32.tflite on {THERE}: ", "warm-up: "
"""What a run says when it comes to a stage; of the first it says nothing yet, and each machine is warmed up
before it is timed."""


def converting(place: Place, given: Given, backends: str = f"litert,{THERE}") -> Running:
    return place.start(
        *(str(given.model), "--data", str(given.data), "--schemes", "fp32", "--formats", "tflite"),
        *("--backends", backends, "--latency-seconds", "6", "--max-drop", "2", "--out", "dist"),
    )


def another(place: Place, name: str) -> Place:
    (place.here.parent / name).mkdir()
    return Place(place.here.parent / name)


def report_of(place: Place, folder: str = "dist.partial") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((place.here / folder / "report.json").read_text())
    return document


def skip_if_over(ended: Ended) -> None:
    """Latency is no longer measured once it is known, which may be at once."""
    if ended.code == 0:
        pytest.skip("it was faster than what should disturb it")


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def check_one_line(ended: Ended, place: Place, *words: str) -> None:
    """Exit code 3 and one error, which says `words`; nothing is left here."""
    assert ended.code == 3, ended.err
    (error,) = ended.errors
    assert all(word in error for word in words), error
    assert "Traceback" not in ended.err
    assert place.is_clean()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", [OFFER, PROOF, LATENCY])
def test_an_interrupt_leaves_nothing_there(
    host: Sshd, place: Place, given: Given, number: signal.Signals, stage: str
) -> None:
    running = converting(place, given)
    if stage == OFFER:
        until(lambda: bool(host.running()))
    else:
        running.until(stage)
    ended = running.signal(number).finish()
    skip_if_over(ended)
    assert ended.code == 130
    assert ended.errors == ["error: interrupted; nothing half-written is left"]
    assert place.is_clean()
    until(lambda: not host.running())
    assert not [*host.home.glob(".cache/resnet-edge/runs/*")]


@pytest.mark.slow
@pytest.mark.parametrize("stage", [PROOF, LATENCY])
def test_a_run_that_is_killed_leaves_nothing_there(
    host: Sshd, place: Place, given: Given, stage: str
) -> None:
    ended = converting(place, given).until(stage).signal(signal.SIGKILL).finish()
    skip_if_over(ended)
    assert ended.code == -signal.SIGKILL
    until(lambda: not host.running())
    until(lambda: not [*host.home.glob(".cache/resnet-edge/runs/*")])
    until(lambda: not place.processes())


@pytest.mark.slow
def test_a_connection_that_drops_at_the_first_look(host: Sshd, place: Place, given: Given) -> None:
    stand_in(host, "sleep 3")  # so that it is still there when it drops
    running = converting(place, given)
    until(lambda: bool(host.running()))
    host.drop()
    check_one_line(running.finish(), place, "pi4")
    assert [*place.here.iterdir()] == []  # nothing was begun
    until(lambda: not host.running())


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["dropped", "rebooted"])
@pytest.mark.parametrize("stage", [PROOF, LATENCY])
def test_a_host_that_is_lost_costs_its_own_rows(
    host: Sshd, place: Place, given: Given, stage: str, lost: str
) -> None:
    running = converting(place, given).until(stage)
    if stage == LATENCY:  # that was this machine; the next is the host
        running.until(LATENCY)
    else:
        until(lambda: any("workers.child" in command for command in host.commands()))
    host.drop() if lost == "dropped" else host.stop()
    ended = running.finish()
    skip_if_over(ended)
    check_one_line(ended, place, "pi4")
    report = report_of(place)
    parity = {row["backend"]: row["verdict"] for row in report["parity"]}
    assert parity["litert"] == "pass"
    assert (THERE in parity) == (stage == LATENCY)
    assert [row["backend"] for row in report["latency"]] == ["litert"]
    assert all("pi4" in failure["message"] for failure in report["failures"])
    until(lambda: not host.running())
    if lost == "dropped":
        again = converting(another(place, "again"), given).finish()
        assert again.code == 0, again.err


@pytest.mark.slow
def test_a_full_disk_there_costs_its_own_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, given: Given
) -> None:
    with servers.running(tmp_path / "sshd", monkeypatch, mount="size=600k") as server:
        # The environment is outside the small home, which each connection has for itself.
        stand_in(server)
        program = (server.environment / "bin" / "python").read_text()
        (server.folder / "program").write_text(program)
        (server.folder / "program").chmod(0o755)
        session = server.folder / "session"
        link = f'mkdir -p "$HOME/.local/share/resnet-edge/host/bin" && ln -s {server.folder}/program '
        link += '"$HOME/.local/share/resnet-edge/host/bin/python" && cd "$HOME"'
        session.write_text(session.read_text().replace('cd "$HOME"', link))
        ended = converting(place, given).finish()
        check_one_line(ended, place, "pi4", "No space left on device")
        assert {row["backend"] for row in report_of(place)["parity"]} == {"litert"}
        until(lambda: not server.running())


def test_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, given: Given, converted: Path
) -> None:
    with servers.running(tmp_path / "sshd", monkeypatch) as server:
        stand_in(server)
        (server.home / ".cache").write_text("no folder")  # for root, too
        place.command = "bench"
        ended = place.run(str(converted / "tiny.int8.tflite"), "--backends", THERE)
        check_one_line(ended, place, "pi4", ".cache", "cannot be written")
        until(lambda: not server.running())


@pytest.mark.slow
@pytest.mark.parametrize("ahead", ["-30y", "+3y"])
def test_a_clock_that_is_wrong_changes_nothing(host: Sshd, place: Place, given: Given, ahead: str) -> None:
    """As of a Raspberry Pi that was off: files there are old, or of a time to come."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not installed: apt-get install faketime")
    stand_in(host, f"export LD_PRELOAD={library} FAKETIME={ahead} DONT_FAKE_MONOTONIC=1")
    for folder in ("first", "second"):
        ended = converting(another(place, folder), given).finish()
        assert ended.code == 0, ended.err
    stand_in(host)  # the clock was set right
    ended = converting(place, given).finish()
    assert ended.code == 0, ended.err
    parity = report_of(place, "dist")["parity"]
    assert {row["backend"]: row["verdict"] for row in parity} == {"litert": "pass", THERE: "pass"}


@pytest.mark.slow
def test_a_home_with_a_space_and_a_name_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, given: Given
) -> None:
    with servers.running(tmp_path / "sshd", monkeypatch, home_name="my home é") as server:
        stand_in(server)
        ended = converting(place, given, f"litert,litert@{server.address}").finish()
        assert ended.code == 0, ended.err
        rows = report_of(place, "dist")["latency"]
        assert [row["backend"] for row in rows] == ["litert", f"litert@{server.address}"]
