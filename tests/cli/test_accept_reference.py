"""Tests that a reference which is not what it should be is told first, and ends with 5 unless accepted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.sidecar import Sidecar, State, Step, write_sidecar
from tests.cli.conftest import Given
from tests.cli.conversion import Place

FEW = ("--formats", "tflite", "--schemes", "fp32", "--latency-seconds", "0", "--max-drop", "2", "--json")


@pytest.fixture(scope="module")
def claimed(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Given:
    """The tiny classifier, whose sidecar says more than it gets right on images with other labels."""
    folder = tmp_path_factory.mktemp("claimed")
    model, data = folder / "tiny.keras", folder / "test.npz"
    model.write_bytes(given.model.read_bytes())
    with np.load(given.data) as arrays:
        images, labels = arrays["images"], arrays["labels"].copy()
    labels[:1000] = (labels[:1000] + 1) % 4
    np.savez(data, images=images, labels=labels)
    state = State(
        sha256=sha256_of(model),
        parameters=1,
        macs=None,
        file_bytes=1,
        gzip_bytes=1,
        top1=0.99,
        n=3000,
        images="3,000 held-out images",
    )
    details = {"data": {"source": data.name}}
    write_sidecar(
        model,
        Sidecar(
            (),
            (Step(step="train", title="trained", command="", resnet_edge="0", after=state, details=details),),
        ),
    )
    return Given(model, data, given.calibration)


def _words(claimed: Given, *more: str) -> tuple[str, ...]:
    return (str(claimed.model), "--data", str(claimed.data), *FEW, *more)


def test_convert_ends_with_5_and_says_why_first(claimed: Given, tmp_path: Path) -> None:
    place = Place(tmp_path)
    ended = place.run(*_words(claimed, "--out", "dist"))
    assert ended.code == 5, ended.err
    report = json.loads(ended.out)
    assert not report["passed"]
    assert [row["verdict"] for row in report["parity"]] == ["pass"]
    assert [(doubt["kind"], doubt["accepted"]) for doubt in report["doubts"]] == [("claim", False)]
    assert report["notes"][0].endswith("or pass --accept-reference if that is expected")
    assert "tiny.json says 99.0 % of 3,000" in ended.errors[0]
    page = (place.here / "dist/report.md").read_text()
    assert page.index("The reference is in doubt") < page.index("## Results")
    assert "**INCONCLUSIVE.**" in page
    assert report["witness"]["loader"].startswith("Keras 3.")
    assert report["witness"]["difference"] <= report["witness"]["allowed"]


@pytest.mark.slow
def test_convert_ends_with_0_where_it_is_accepted(claimed: Given, tmp_path: Path) -> None:
    ended = Place(tmp_path).run(*_words(claimed, "--out", "dist", "--accept-reference"))
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["notes"][0].endswith("(accepted)")


@pytest.mark.slow
def test_verify_does_the_same(claimed: Given, converted: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, "verify")
    words = (
        *(str(converted / "tiny.fp32.tflite"), "--reference", str(claimed.model), "--max-drop", "2"),
        *("--data", str(claimed.data), "--no-explain", "--attribute", "0"),
    )
    page = tmp_path / "page.html"
    ended = place.run(*words, "--html", str(page))
    assert ended.code == 5, ended.err
    assert ended.out.startswith("warning: the reference is right on ")
    assert "INCONCLUSIVE. The reference itself is in doubt" in ended.out
    text = page.read_text()
    assert text.index("The reference is in doubt") < text.index("<h2>Results")
    assert place.run(*words, "--accept-reference").code == 0


@pytest.mark.slow
def test_a_reference_at_chance_proves_nothing_unless_accepted(given: Given, tmp_path: Path) -> None:
    with np.load(given.data) as arrays:
        images, labels = arrays["images"][:1200], arrays["labels"][:1200]
    data = tmp_path / "shuffled.npz"
    np.savez(data, images=images, labels=np.random.default_rng(0).permutation(labels))
    place = Place(tmp_path)
    words = (str(given.model), "--data", str(data), *FEW)
    ended = place.run(*words, "--out", "dist")
    assert ended.code == 5, ended.err
    assert json.loads(ended.out)["doubts"][0]["kind"] == "chance"
    assert place.run(*words, "--out", "accepted", "--accept-reference").code == 0
