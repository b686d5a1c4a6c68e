"""`resnet-edge bench` as a user runs it: real runtimes, rows that fail beside rows that hold."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import pytest

from resnet_edge.core import registry
from resnet_edge.core.artifact import sha256_of
from tests.backends import tiny
from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place
from tests.report.conftest import proof

HERE = ("--backends", "litert,onnxruntime")
FOR_PARITY = {
    "iree", "litert_arm64", "litert_reference", "mediapipe", "mediapipe_web",
    "onnxruntime_arm64", "onnxruntime_node", "tflite_micro", *registry.declared("backends"),
}  # fmt: skip
"""They are there to be compared with, and are timed where they are named."""
SHORT = ("--budget", "1s", "--json", *HERE)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "bench")


def folder_of(place: Place, artifacts: Path, **names: str) -> Path:
    """A folder as `convert` would write it, of tiny artifacts under other names."""
    folder = place.here / "dist"
    folder.mkdir()
    for name, source in names.items():
        stem, suffix = name.rsplit("_", 1)
        shutil.copy(artifacts / source, folder / f"{stem.replace('_', '.')}.{suffix}")
    (folder / "report.json").write_text("{}")
    return folder


def document(ended: Ended) -> dict[str, Any]:
    bench: dict[str, Any] = json.loads(ended.out)
    return bench


def test_every_artifact_of_a_folder_on_every_backend_that_opens_it(place: Place, artifacts: Path) -> None:
    folder = folder_of(
        place,
        artifacts,
        net_fp32_tflite="fixed.tflite",
        net_int8_tflite="int8.tflite",
        net_fp32_onnx="fixed.onnx",
    )
    ended = place.run(str(folder), *SHORT, "--seed", "3")
    bench = document(ended)
    assert ended.code in (0, 5), ended
    assert bench["failures"] == []
    rows = bench["rows"]
    assert [(row["artifact"], row["scheme"], row["backend"], row["device"]) for row in rows] == [
        ("net.fp32.onnx", "fp32", "onnxruntime", "cpu"),
        ("net.fp32.tflite", "fp32", "litert", "cpu"),
        ("net.int8.tflite", "int8", "litert", "cpu"),
    ]
    for row in rows:
        low, high = row["p50_ci95_ms"]
        assert 0 < low <= row["p50_ms"] <= high
        assert row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"]
        assert row["per_second"] == pytest.approx(1000 / row["p50_ms"])
        assert row["cold"]["first_ms"] > 0
        assert row["cold"]["open_ms"] > 0
        assert row["rounds"] >= 2
        assert row["n"] % row["rounds"] == 0
        assert (row["verdict"] == "steady") == (row["reasons"] == [])
    assert min(row["times_fastest"] for row in rows) == 1.0
    assert min(row["rank"] for row in rows) == 1
    assert set(bench["sha256"]) == {row["artifact"] for row in rows}
    assert any(
        "--budget 1s does not suffice: to open 3" in note for note in bench["notes"]
    )  # not in one second
    assert place.is_clean()


@pytest.mark.slow
def test_limits_are_measured_where_the_budget_has_room(place: Place, artifacts: Path) -> None:
    files = [str(artifacts / name) for name in ("fixed.tflite", "int8.tflite")]
    bench = document(place.run(*files, "--budget", "20s", "--json", "--backends", "litert"))
    fp32, int8 = sorted(bench["rows"], key=lambda row: row["artifact"])
    assert fp32["rounds"] == int8["rounds"] > 20
    if bench["ceilings"]["int8_gmacs"]:
        fp32, int8 = fp32["roofline"], int8["roofline"]
        assert min(fp32["share"], int8["share"]) > 0
        assert fp32["work"]["float_macs"] == int8["work"]["int8_macs"] == 8 * 8 * 9 * 4 + 4 * 5


def test_weights_beside_a_file_are_part_of_its_size(place: Place, artifacts: Path) -> None:
    model = onnx.load(artifacts / "fixed.onnx")
    file = place.here / "apart.onnx"
    onnx.save(model, file, save_as_external_data=True, location="apart.bin", size_threshold=0)
    bench = document(place.run("apart.onnx", "--budget", "1ms", "--json", "--backends", "onnxruntime"))
    whole = file.stat().st_size + file.with_name("apart.bin").stat().st_size
    assert bench["size_bytes"] == {"apart.onnx": whole}


def test_noise_is_accepted_where_that_is_asked_for_and_stays_in_the_table(
    place: Place, artifacts: Path
) -> None:
    """Two rounds of a file never hold."""
    file = str(artifacts / "fixed.tflite")
    few = ("--budget", "1ms", "--backends", "litert")
    ended = place.run(file, *few, "--accept-noise", "--junit", "bench.xml")
    assert ended.code == 0
    assert "may not be repeatable (? in Rank)" in ended.out
    assert "only 2 rounds" in ended.out
    assert "They are accepted (--accept-noise)" in ended.out
    assert 'skipped="1"' in (place.here / "bench.xml").read_text()
    ended = place.run(file, *few, "--json")
    assert ended.code == 5
    (place.here / "a.json").write_text(ended.out)
    ended = place.run("--from", "a.json", "--accept-noise", "--json")
    assert (ended.code, document(ended)["noise_accepted"]) == (0, True)
    assert [row["verdict"] for row in document(ended)["rows"]] == ["inconclusive"]
    assert place.run("--compare", "a.json", "a.json", "--accept-noise").code == 2


@pytest.mark.slow
def test_without_names_all_that_opens_here_is_timed_and_the_rest_is_told(
    place: Place, artifacts: Path
) -> None:
    """Also: a file of batch 1 opens wherever one of any batch does, and what nobody opens is a failure."""
    files = [str(artifacts / name) for name in ("fixed.onnx", "fixed.tflite", "random.onnx")]
    ended = place.run(*files, "--budget", "1s", "--json")
    bench = document(ended)
    assert ended.code == 3
    timed = {(row["artifact"], row["backend"]) for row in bench["rows"]}
    assert timed >= {("fixed.onnx", "onnxruntime"), ("fixed.tflite", "litert")}
    assert {failed["artifact"] for failed in bench["failures"]} == {"random.onnx"}
    mentioned = {one["backend"] for one in bench["unopened"]} | {backend for _, backend in timed}
    assert mentioned >= set(registry.names("backends")) - FOR_PARITY - {"keras", "keras_jax"}
    assert not {backend for _, backend in timed} & FOR_PARITY
    assert not any(row["device"].endswith("-software") for row in bench["rows"])
    assert place.is_clean()


@pytest.mark.slow
def test_a_folder_is_timed_where_its_report_proved_it(place: Place, artifacts: Path) -> None:
    folder = folder_of(place, artifacts, net_fp32_onnx="fixed.onnx")
    (file,) = folder.glob("*.onnx")
    report = {
        "artifacts": [{"file": file.name, "sha256": sha256_of(file)}],
        "parity": [asdict(proof(file.name, 0.0, backend="onnxruntime"))],
    }
    (folder / "report.json").write_text(json.dumps(report))
    bench = document(place.run(str(folder), "--budget", "1s", "--json"))
    assert {(row["backend"], row["device"]) for row in bench["rows"]} == {("onnxruntime", "cpu")}
    assert bench["unopened"] == []
    (note,) = [note for note in bench["notes"] if "--backends names others" in note]
    assert note.startswith("timed where the folder's report proved the files, on onnxruntime; ")


def test_people_get_a_table_and_the_exit_code_says_whether_it_holds(place: Place, artifacts: Path) -> None:
    folder = folder_of(place, artifacts, net_fp32_tflite="fixed.tflite", net_fp32_onnx="fixed.onnx")
    ended = place.run(str(folder), "--budget", "1s", "--quiet", *HERE)
    assert ended.out == ended.err == ""
    ended = place.run(str(folder), "--budget", "1s", *HERE)
    assert "Artifacts of net" in ended.out
    assert "fp32.tflite" in ended.out
    assert "onnxruntime" in ended.out
    assert ended.out.rstrip().split("\n\n")[-1].startswith("Fastest: ")  # the answer is the last
    assert ("may not be repeatable (? in Rank)" in ended.out) == (ended.code == 5)
    assert all(len(line) <= 120 for line in ended.out.splitlines())


def test_what_does_not_open_is_a_row_that_says_so(place: Place, artifacts: Path) -> None:
    files = [str(artifacts / name) for name in ("random.onnx", "fixed.onnx", "truncated.tflite")]
    ended = place.run(*files, *SHORT)
    assert ended.code == 3
    bench = document(ended)
    assert [row["artifact"] for row in bench["rows"]] == ["fixed.onnx"]
    assert [row["artifact"] for row in bench["failures"]] == ["random.onnx", "truncated.tflite"]
    assert all("convert it again" in row["message"] for row in bench["failures"])
    assert "random.onnx" in ended.errors[0]
    assert "and 1 more" in ended.errors[0]


def test_nothing_that_opens_is_an_error(place: Place, artifacts: Path) -> None:
    ended = place.run(str(artifacts / "random.onnx"), "--budget", "1s", *HERE)
    assert ended.code == 3
    assert "nothing could be timed: random.onnx on onnxruntime" in ended.errors[0]
    assert ended.out == ""


def test_a_runtime_that_crashes_loses_its_turn_and_no_more(place: Place, artifacts: Path) -> None:
    files = [str(artifacts / name) for name in ("fixed.onnx", "dynamic.onnx", "fixed.tflite")]
    running = place.start(*files, "--budget", "6s", "--json", *HERE).until("rounds")
    ended = running.kill("onnxruntime").finish()
    assert ended.code == 3
    bench = document(ended)
    assert "failures" in bench, bench
    (failure,) = bench["failures"]
    assert failure["backend"] == "onnxruntime"
    assert "SIGKILL" in failure["message"]
    kept = {row["artifact"] for row in bench["rows"]}
    assert kept == {"fixed.onnx", "dynamic.onnx", "fixed.tflite"} - {failure["artifact"]}
    assert place.is_clean()


def test_an_interrupt_leaves_nothing(place: Place, artifacts: Path) -> None:
    running = place.start(str(artifacts / "fixed.onnx"), "--budget", "60s", "--json", *HERE).until("rounds")
    ended = running.signal(signal.SIGINT).finish()
    assert ended.code == 130
    assert "rows" not in ended.out
    assert place.is_clean()


def test_a_machine_under_load_is_said_to_be(place: Place, artifacts: Path) -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        # Seconds of rounds: the system counts in hundredths of one.
        ended = place.run(str(artifacts / "fixed.onnx"), *SHORT, "--budget", "8s")
    finally:
        for process in busy:
            process.kill()
            process.wait()
    bench = document(ended)
    if bench["quiet"]["others"] is None:
        pytest.skip("this system does not tell what other processes do")
    assert ended.code == 5
    assert bench["quiet"]["others"] > 0.5
    (row,) = bench["rows"]
    assert row["verdict"] == "inconclusive"
    assert any("other processes kept" in reason for reason in row["reasons"])


def test_several_images_at_a_time(place: Place, artifacts: Path) -> None:
    ended = place.run(str(artifacts / "dynamic.onnx"), str(artifacts / "fixed.onnx"), "--batch", "4", *SHORT)
    assert ended.code == 3
    bench = document(ended)
    (row,) = bench["rows"]
    assert (row["artifact"], row["batch"]) == ("dynamic.onnx", 4)
    assert row["per_second"] == pytest.approx(4000 / row["p50_ms"])
    assert "takes 1 image at a time, and not 4" in bench["failures"][0]["message"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "name artifacts, or a folder"),
        (("absent.onnx",), 2, "absent.onnx is not there"),
        (("notes.txt",), 3, "notes.txt is no artifact"),
        ((".",), 3, "holds no artifact"),
        (("fixed.onnx", "--backends", "litert"), 2, "none of --backends litert opens fixed.onnx"),
        (("fixed.onnx", "--backends", "banana"), 2, "no backend is called 'banana'"),
        (("fixed.onnx", "--backends", "onnxruntime:cuda"), 3, "CUDAExecutionProvider"),
        (("fixed.onnx", "--backends", "onnxruntime:npu"), 3, "has no device 'npu'"),
        (("fixed.onnx", "--threads", "999"), 2, "cores; give fewer"),
        (("fixed.onnx", "--budget", "soon"), 2, "give a time, as in 90s"),
        (("fixed.onnx", "--budget", "0s"), 2, "give a time, as in 90s"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    place: Place, artifacts: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    (place.here / "notes.txt").write_text("no model")
    if words[:1] == ("fixed.onnx",):
        shutil.copy(artifacts / "fixed.onnx", place.here)
    ended = place.run(*words)
    assert (ended.code, len(ended.errors)) == (code, 1)
    assert said in ended.errors[0]
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_the_time_of_every_layer_is_told_in_both_runtimes(place: Place, given: Given, tmp_path: Path) -> None:
    """Layers and their multiply-accumulates are the same in both formats and both schemes."""
    (tmp_path / "made").mkdir()
    conversion_place = Place(tmp_path / "made")
    conversion_place.run(
        *(str(given.model), "--data", str(given.data), "--calibration", str(given.calibration)),
        *("--schemes", "fp32,int8", "--latency-seconds", "0", "--quiet"),
    )
    ended = place.run(str(conversion_place.here / "dist"), *SHORT, "--profile")
    bench = document(ended)
    assert bench["failures"] == []
    profiles = {row["artifact"]: row["profile"] for row in bench["rows"]}
    assert len(profiles) == 4
    by_layer = [
        {operator["layer"]: operator["macs"] for operator in profile["operators"] if operator["macs"]}
        for profile in profiles.values()
    ]
    assert sorted(by_layer[0].values()) == [64, 62_208, 331_776, 331_776]  # by hand
    assert all(other == by_layer[0] for other in by_layer)
    for row in bench["rows"]:
        watched = sum(operator["microseconds"] for operator in row["profile"]["operators"])
        assert 0 < watched < 20_000 * row["p50_ms"]


def test_two_documents_are_compared_and_nothing_is_measured(place: Place, artifacts: Path) -> None:
    for name in ("a", "b"):
        ended = place.run(str(artifacts / "fixed.onnx"), *SHORT)
        (place.here / f"{name}.json").write_text(ended.out)
    ended = place.run("--compare", "a.json", "b.json")
    assert ended.code == 0, ended.err
    assert "fixed.onnx" in ended.out
    assert "After / before" in ended.out
    assert "another file" not in ended.out
    (row,) = document(place.run("--compare", "a.json", "b.json", "--json"))["rows"]
    assert row["same_file"]
    assert row["ratio"] == pytest.approx(row["after_ms"] / row["before_ms"])
    ended = place.run("--compare", "a.json", "notes.txt")
    assert (ended.code, len(ended.errors)) == (3, 1)
    assert place.run("--compare", "a.json", "b.json", "dist").code == 2
