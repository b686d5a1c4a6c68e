"""The last lines of `convert`, of reports of every kind."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.cli._conclusion import next_command, what_images_prove
from resnet_edge.core.proportion import drop_points
from resnet_edge.core.results.doubt import Doubt
from resnet_edge.core.results.report import Failure, Report
from tests.report.conftest import artifact, model, ordinary, proof, unlabelled  # noqa: F401  # fixtures

FILES = ("net.int8.onnx", "net.fp32.onnx")


def judged(report: Report, *verdicts: Any, **more: Any) -> Report:
    parity = tuple(proof(file, verdict=verdict) for file, verdict in zip(FILES, verdicts, strict=True))
    artifacts = tuple(artifact(file, 9) for file in FILES)
    return replace(report, **{"artifacts": artifacts, "parity": parity, "failures": (), "doubts": (), **more})


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        (("pass", "pass"), "resnet-edge package 'my models/out'"),
        (("fail", "pass"), "resnet-edge verify 'my models/out'"),
        (("inconclusive", "pass"), "resnet-edge bench 'my models/out' --backends onnxruntime"),
        (("inconclusive", "inconclusive"), "resnet-edge verify 'my models/out' --data MORE_IMAGES"),
    ],
)
def test_the_next_command_can_be_typed(ordinary: Report, verdicts: tuple[Any, ...], says: str) -> None:  # noqa: F811  # a fixture
    line = next_command(judged(ordinary, *verdicts), Path("my models/out"))
    assert line is not None
    assert line.endswith(f": {says}")
    assert "my models/out" in shlex.split(line.partition(": ")[2])
    assert len(line) <= 80


def test_what_failed_elsewhere_is_looked_for_there(ordinary: Report) -> None:  # noqa: F811  # a fixture
    report = judged(ordinary, "fail", "pass")
    gpu = replace(
        report, parity=(replace(report.parity[0], backend="litert", device="gpu"), report.parity[1])
    )
    assert str(next_command(gpu, Path("-x"))).endswith("verify ./-x --backends litert:gpu")


def test_a_run_that_has_to_be_mended_has_no_next(ordinary: Report) -> None:  # noqa: F811  # a fixture
    passed = judged(ordinary, "pass", "pass")
    doubt = Doubt(kind="chance", sentence="no better than chance")
    for report in (
        replace(passed, failures=(Failure("net.onnx", "it broke"),)),
        replace(passed, doubts=(doubt,)),
        replace(passed, artifacts=()),
    ):
        assert next_command(report, Path("out")) is None


def test_what_images_can_prove_goes_by_their_number(ordinary: Report) -> None:  # noqa: F811  # a fixture
    def of(n: int, **more: Any) -> str:
        report = judged(ordinary, "pass", "pass", **more)
        return str(
            what_images_prove(replace(report, parity=tuple(replace(row, n=n) for row in report.parity)))
        )

    assert of(10_000).startswith("These 10,000 images can prove a drop of at most 0.5 pp")
    few = of(240)
    assert few.startswith(
        "These 240 images cannot prove a drop of at most 0.5 pp, even where no answer changes"
    )
    assert f"{drop_points(240, 0, 0).high:.1f} pp" in few
    assert of(240, max_drop_pp=5.0).startswith("These 240 images can prove a drop of at most 5 pp")
    assert what_images_prove(replace(ordinary, parity=())) is None


def test_without_labels_nothing_is_said_of_accuracy(unlabelled: Report) -> None:  # noqa: F811  # a fixture
    assert "have no labels" in str(what_images_prove(unlabelled))
