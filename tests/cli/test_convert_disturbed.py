"""What happens in the middle of a run: an interrupt, and workers that die."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.files.bundled import bundled
from tests.cli.conversion import Place

WHILE_LOADING, WHILE_PROVING, WHILE_TIMING = "model: ", "on litert: ", "latency: "
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("number", "phase"),
    [
        (signal.SIGINT, WHILE_LOADING),
        pytest.param(signal.SIGTERM, WHILE_LOADING, marks=SLOW),
        (signal.SIGHUP, WHILE_LOADING),
        (signal.SIGINT, WHILE_PROVING),
        pytest.param(signal.SIGINT, WHILE_TIMING, marks=SLOW),
        pytest.param(signal.SIGTERM, WHILE_TIMING, marks=SLOW),
    ],
)
def test_an_interrupt_leaves_nothing(place: Place, number: signal.Signals, phase: str) -> None:
    words = ("--formats", "tflite", "--schemes", "fp32", "--latency-seconds", "60", "--json")
    running = place.start(*words).until(phase)
    ended = running.signal(number).signal(number).finish()  # twice, as the impatient do
    assert ended.code == 130
    assert ended.errors == ["error: interrupted; nothing half-written is left"]
    assert "Traceback" not in ended.err
    assert json.loads(ended.out)["exit_code"] == 130
    assert place.is_clean()
    assert [*place.here.iterdir()] == []


def logs_named(text: str) -> list[str]:
    return re.findall(r"full log: ([^)]+)\)", text)


def check_partial(place: Place, out: str, err: str) -> dict[str, Any]:
    """The report of a run in which something failed, after what holds for every such run."""
    report: dict[str, Any] = json.loads((place.here / "dist.partial/report.json").read_text())
    assert json.loads(out) == report
    assert report["passed"] is False
    assert not (place.here / "dist").exists()
    assert place.is_clean()
    assert "Traceback" not in err
    named = logs_named(json.dumps(report["failures"]))
    assert named
    assert all((place.here / log).is_file() for log in named)
    return report


@pytest.mark.slow
def test_two_workers_die_and_the_rest_still_comes_out(place: Place) -> None:
    """The one that calibrates, and the one that runs the Keras model."""
    running = place.start("--formats", "onnx", "--schemes", "int8,fp32", "--latency-seconds", "0.1", "--json")
    running.until("reference: ").kill("source").kill("artifacts")  # which calibrates beside it
    ended = running.finish()
    assert ended.code == 3
    report = check_partial(place, ended.out, ended.err)
    assert [row["file"] for row in report["artifacts"]] == ["resnet20_fashion_mnist.fp32.onnx"]
    assert report["parity"] == []
    assert [row["artifact"] for row in report["latency"]] == ["resnet20_fashion_mnist.fp32.onnx"]
    calibration, reference = report["failures"]
    assert "calibration" in calibration["what"]
    assert "the Keras model" in reference["what"]
    assert all("was ended by SIGKILL" in failure["message"] for failure in report["failures"])
    (line,) = ended.errors
    assert "(and 1 more); what could be made is in dist.partial" in line


@pytest.mark.slow
def test_a_backend_that_dies_takes_no_other_proof_along(place: Place) -> None:
    with np.load(bundled("fashion_mnist_test.npz")) as held:
        np.savez(place.here / "some.npz", images=held["images"], labels=held["labels"])
    running = place.start("--schemes", "fp32", "--latency-seconds", "0", "--json")
    running.until("fp32.tflite on litert: ").kill(prover_of(place, "litert"))
    ended = running.finish()
    assert ended.code == 3
    report = check_partial(place, ended.out, ended.err)
    assert len(report["artifacts"]) == 2
    (row,) = report["parity"]
    assert (row["backend"], row["verdict"]) == ("onnxruntime", "pass")
    (failure,) = report["failures"]
    assert failure["what"] == "resnet20_fashion_mnist.fp32.tflite on litert cpu"


def prover_of(place: Place, backend: str) -> str:
    """The log name of the worker that has the library of `backend` in memory."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for number in (1, 2):
            for process in place.processes(f"proof_{number}.log"):
                if backend in Path(f"/proc/{process}/maps").read_text():
                    return f"proof_{number}"
    raise AssertionError(f"no worker runs {backend}")


def test_a_worker_that_cannot_be_done_without_ends_the_run_and_leaves_its_log(place: Place) -> None:
    running = place.start("--schemes", "fp32", "--latency-seconds", "0").until("model: ").kill("source")
    ended = running.finish()
    assert ended.code == 3
    (line,) = ended.errors
    (log,) = logs_named(line)
    assert log == "dist.logs/source.log"
    assert (place.here / log).is_file()
    assert [entry.name for entry in place.here.iterdir()] == ["dist.logs"]
    assert place.is_clean()


def test_the_next_run_replaces_what_a_failed_one_left(place: Place) -> None:
    place.start().until("model: ").kill("source").finish()
    place.start().until("model: ").signal(signal.SIGINT).finish()
    assert [*place.here.iterdir()] == []
