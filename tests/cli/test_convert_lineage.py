"""`resnet-edge convert` tells what was done to the model before: its own story, and no other."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.sidecar import Sidecar, State, Step, StepLatency, write_sidecar
from tests.cli.conftest import Given
from tests.cli.conversion import NAMES, Ended, Place

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Done:
    ended: Ended
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return document


def converted(place: Place, given: Given, model: Path) -> Done:
    ended = place.run(
        *(str(model), "--data", str(given.data), "--formats", "tflite", "--schemes", "fp32"),
        *("--max-drop", "1", "--latency-seconds", "0.1"),
    )
    assert ended.code == 0, ended
    return Done(ended, place.here / "dist")


@pytest.fixture
def model(given: Given, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(given.model, tmp_path / "tiny.keras"))


def lineage(model: Path) -> Sidecar:
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    size = model.stat().st_size
    after = State(
        sha256=sha256,
        parameters=200,
        macs=3000,
        file_bytes=size,
        gzip_bytes=size // 2,
        top1=0.97,
        n=600,
        images="600 held-out images",
        images_sha256="e" * 64,
    )
    before = replace(after, sha256="a" * 64, macs=6000, parameters=400, top1=0.98)
    faster = StepLatency(
        format="tflite",
        scheme="int8",
        backend="litert",
        device="cpu",
        threads=1,
        before_ms=2.0,
        after_ms=1.0,
        ratio=0.5,
        ratio_ci95=(0.4, 0.6),
    )
    return Sidecar(
        NAMES,
        (
            Step(
                step="train",
                title="tiny, 2 epochs",
                command="resnet-edge train --arch tiny",
                resnet_edge="0",
                after=before,
            ),
            Step(
                step="prune",
                title="half the MACs",
                command="resnet-edge prune base.keras",
                resnet_edge="0",
                after=after,
                before=before,
                latency=(faster,),
            ),
        ),
    )


def test_base_pruned_and_artifacts_stand_in_one_table(given: Given, model: Path, place: Place) -> None:
    write_sidecar(model, lineage(model))
    done = converted(place, given, model)
    assert done.ended.out.startswith("Model ")
    for shown in ("train: tiny, 2 epochs", "prune: half the MACs", "98.0 %", "97.0 %", "2.00×", "set 2"):
        assert shown in done.ended.out
    base, pruned, now, artifact = done.report["history"]
    assert [entry["macs"] for entry in (base, pruned)] == [6000, 3000]
    assert now["title"] == "the same, in this run"  # measured there on the images of the proof
    assert now["top1"] == done.report["parity"][0]["reference_top1"]
    assert artifact["artifact"] == "tiny.fp32.tflite"
    file = done.folder / artifact["artifact"]
    assert artifact["size_bytes"] == file.stat().st_size
    assert 0 < artifact["gzip_bytes"] < artifact["size_bytes"]
    for name in ("report.md", "report.html"):
        text = (done.folder / name).read_text("utf-8")
        assert "History of the model" in text
        assert "resnet-edge prune base.keras" in text


def test_the_story_of_another_file_is_noted_and_not_told(given: Given, model: Path, place: Place) -> None:
    sidecar = lineage(model)
    last = replace(sidecar.steps[1], after=replace(sidecar.steps[1].after, sha256="b" * 64))
    write_sidecar(model, replace(sidecar, steps=(sidecar.steps[0], last)))
    done = converted(place, given, model)
    assert "half the MACs" not in done.ended.out + (done.folder / "report.json").read_text("utf-8")
    assert [entry["step"] for entry in done.report["history"]] == [None, None]
    note = "tiny.json describes another file than tiny.keras"
    assert any(said.startswith(note) for said in done.report["notes"])
    assert note in " ".join(done.ended.out.split())
    assert (done.folder / "labels.txt").read_text("utf-8").split() == [*NAMES]  # those are not in doubt
