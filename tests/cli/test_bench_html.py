"""`resnet-edge bench --html`, `--from`, and the pages of `convert`, as a user runs them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends import tiny
from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place

pytestmark = pytest.mark.slow

HERE = ("--backends", "litert,onnxruntime", "--budget", "1s")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "bench")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts")) / "fixed.onnx"


@dataclass(frozen=True)
class Benched:
    """A folder that `convert` wrote, and what `bench` wrote of it."""

    dist: Path
    page: str
    json: Path
    ended: Ended


@pytest.fixture(scope="module")
def benched(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Benched:
    origin = Place(tmp_path_factory.mktemp("made"))
    origin.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--schemes", "fp32,int8", "--latency-seconds", "0", "--quiet", "--thorough"),
    )
    origin.command = "bench"
    ended = origin.run("dist", *HERE, "--profile", "--json", "--html", "page.html")
    (origin.here / "bench.json").write_text(ended.out)
    page = (origin.here / "page.html").read_text("utf-8")
    return Benched(origin.here / "dist", page, origin.here / "bench.json", ended)


def test_the_page_has_the_accuracy_of_the_very_files_and_their_layers(benched: Benched) -> None:
    assert benched.ended.code in (0, 5)
    for title in ("Latency", "Accuracy against latency", "Results", "Layer by layer", "Machine and versions"):
        assert f"<h2>{title}</h2>" in benched.page
    assert "Tested on 3,000 images." in benched.page
    assert "--html page.html" in benched.page
    document = json.loads(benched.json.read_text())
    assert {proof["artifact"] for proof in document["accuracy"]["proofs"]} == {
        row["artifact"] for row in document["rows"]
    }


def test_a_stored_document_gives_the_same_page_and_the_same_table(benched: Benched, place: Place) -> None:
    ended = place.run("--from", str(benched.json), "--html", "again.html", "--quiet")
    assert (ended.code, ended.out) == (benched.ended.code, "")
    assert (place.here / "again.html").read_text("utf-8") == benched.page
    ended = place.run("--from", str(benched.json))
    assert "onnxruntime" in ended.out
    assert json.loads(place.run("--from", str(benched.json), "--json").out) == json.loads(benched.ended.out)


def test_a_document_of_an_earlier_version_is_read(benched: Benched, place: Place) -> None:
    document = json.loads(benched.json.read_text())
    for name in ("accuracy", "ceilings", "sha256", "notes", "unopened"):
        del document[name]
    for row in document["rows"]:
        del row["roofline"]
    (place.here / "old.json").write_text(json.dumps(document))
    ended = place.run("--from", "old.json", "--html", "old.html", "--quiet")
    assert ended.code == benched.ended.code
    assert "Accuracy against latency" not in (place.here / "old.html").read_text("utf-8")


def test_a_thorough_convert_looks_into_every_file(benched: Benched) -> None:
    report = json.loads((benched.dist / "report.json").read_text())
    files = {f"tiny.{scheme}.{format}" for scheme in ("fp32", "int8") for format in ("tflite", "onnx")}
    assert {row["artifact"] for row in report["explanations"]} == files
    integers = {"tiny.int8.tflite", "tiny.int8.onnx"}
    assert {row["artifact"] for row in report["attribution"]} == integers  # float files lose nothing
    assert {row["artifact"] for row in report["execution"]} == integers
    assert [row["artifact"] for row in report["int8_risk"]] == ["tiny.int8.onnx"]
    assert not any("--thorough" in note for note in report["notes"])


def test_the_report_of_a_thorough_convert_tells_how_errors_grow(benched: Benched) -> None:
    (growth,) = json.loads((benched.dist / "report.json").read_text())["error_growth"]
    assert growth["artifact"] == "tiny.int8.tflite"
    assert growth["n"] == 16
    assert len(growth["layers"]) >= 5
    assert all(10 < layer["sqnr_db"] < 100 for layer in growth["layers"])
    assert "## Error growth per layer" in (benched.dist / "report.md").read_text("utf-8")
    assert "<h2>Error growth per layer</h2>" in (benched.dist / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("fixed.onnx", "--html", "absent/page.html"), 3, "does not exist; make it first"),
        (("fixed.onnx", "--html", "folder.html"), 3, "it is a folder; name a file in it"),
        (("fixed.onnx", "--html", "fixed.onnx"), 2, "a name that ends in .html"),
        (("--compare", "a.json", "b.json", "--html", "page.html"), 2, "--compare draws no page"),
        (("--compare", "a.json", "b.json", "--from", "a.json"), 2, "takes two documents"),
        (("fixed.onnx", "--from", "a.json"), 2, "leave out PATH, or leave out --from"),
        (
            ("--from", "a.json", "--budget", "9s"),
            2,
            "--budget is for figures that are measured: leave it out",
        ),
        (("--from", "a.json", "--threads", "2"), 2, "leave it out with --from"),
        (("--from", "a.json", "--batch", "1"), 2, "--batch is for figures"),
        (("--from", "a.json", "--backends", "litert"), 2, "--backends is for figures"),
        (("--from", "a.json", "--profile"), 2, "--profile is for figures"),
        (("--from", "a.json", "--seed", "1"), 2, "--seed is for figures"),
        (("--from", "a.json", "--junit", "x.xml"), 2, "--junit is for figures"),
        (("--compare", "a.json", "b.json", "--budget", "9s"), 2, "leave it out with --compare"),
        (("--compare", "a.json", "b.json", "--accept-noise"), 2, "--accept-noise is for figures"),
        (("--html", "page.html"), 2, "name artifacts, or a folder"),
        (("--from", "absent.json", "--html", "page.html"), 3, "cannot be read"),
        (("--from", "empty.json"), 3, "is no document of bench"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_measured(
    place: Place, artifact: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    shutil.copy(artifact, place.here / "fixed.onnx")
    (place.here / "folder.html").mkdir()
    (place.here / "empty.json").write_text(
        '{"resnet_edge": "0", "versions": {}, "machine": {}, "command": "", "seconds": 1,'
        '"quiet": {"others": null, "slowest_quarter": 1.0}, "rows": []}'
    )
    ended = place.run(*words)
    assert (ended.code, len(ended.errors)) == (code, 1), ended
    assert said in ended.errors[0]
    assert "open:" not in ended.err
    assert not (place.here / "page.html").exists()


def test_a_run_that_times_nothing_leaves_the_page_that_was_there(place: Place) -> None:
    (place.here / "broken.onnx").write_bytes(b"no model")
    (place.here / "page.html").write_text("earlier")
    ended = place.run("broken.onnx", *HERE, "--html", "page.html")
    assert ended.code == 3
    assert (place.here / "page.html").read_text() == "earlier"
    assert place.is_clean()
