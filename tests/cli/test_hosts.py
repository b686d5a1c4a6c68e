"""Commands with backends on another machine, behind a real sshd."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.cli.conftest import Given
from tests.cli.conversion import Ended, Place, tinted_images
from tests.data.shards.writing import encoded, samples, write_tar
from tests.hosts.sshd import Sshd

THERE = "litert@pi4"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "hosts")


def run(place: Place, command: str, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
    place.command = command
    return place.run(*words, environment=environment)


def verified(place: Place, given: Given, *words: str) -> Ended:
    cache = {"XDG_CACHE_HOME": str(place.here.parent / "cache")}
    options = ["--reference", str(given.model), "--data", str(given.data), "--max-drop", "2", "--json"]
    return run(place, "verify", *options, *words, environment=cache)


def is_at_work(host: Sshd) -> bool:
    """Workers of the proof are the first that run there with the images brought."""
    started = any("workers.child" in command for command in host.commands())
    return started and any(file.stat().st_size > 1 << 14 for file in host.home.rglob("host/??/*"))


@contextmanager
def disturbed(host: Sshd, when: Callable[[Sshd], bool], happens: Callable[[], object]) -> Iterator[None]:
    """Within, `happens` as soon as `when`; it must come to that."""
    over, done = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            if when(host):
                happens()
                done.set()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert done.is_set()


def rows(document: dict[str, Any], key: str = "parity") -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["artifact"], row["backend"]): row for row in document[key]}


def test_the_same_verdicts_to_the_bit(host: Sshd, place: Place, given: Given, converted: Path) -> None:
    files = [str(converted / f"tiny.{scheme}.tflite") for scheme in ("fp32", "int8")]
    ended = verified(place, given, *files, "--backends", f"litert,{THERE}")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    both = rows(document)
    for file in ("tiny.fp32.tflite", "tiny.int8.tflite"):
        here, there = both[file, "litert"], both[file, THERE]
        assert {**here, "backend": THERE} == there
    assert document["machine"]["hosts"]["pi4"]["runtimes"].keys() == {"litert"}
    ran = {(row["artifact"], row["backend"]) for row in document["execution"]}
    assert ("tiny.int8.tflite", THERE) in ran
    assert not any("looked into" in note for note in document["notes"])
    assert any(note.startswith("pi4 is this machine under another name") for note in document["notes"])


def test_photos_stay_here_and_arrays_of_them_go_there(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    images, labels = tinted_images(600, seed=2)
    photos = [(encoded(image), int(label)) for image, label in zip(images, labels, strict=True)]
    write_tar(place.here / "s.tar", samples(photos, end="png"))
    words = ["--data", "s.tar", "--backends", f"litert,{THERE}", "--no-explain", "--attribute", "0"]
    ended = verified(place, given, str(converted / "tiny.fp32.tflite"), *words)
    assert ended.code == 0, ended.err
    both = rows(json.loads(ended.out))
    assert {**both["tiny.fp32.tflite", "litert"], "backend": THERE} == both["tiny.fp32.tflite", THERE]
    assert not [*(place.here.parent / "cache").rglob("*.npy")]
    assert place.is_clean()


def test_convert_proves_and_times_there(host: Sshd, place: Place, given: Given) -> None:
    words = ["--schemes", "fp32,int8", "--formats", "tflite", "--backends", f"litert,{THERE}"]
    ended = run(
        place,
        "convert",
        *(str(given.model), "--data", str(given.data), *words, "--latency-seconds", "0.2"),
        *("--max-drop", "2", "--out", "dist"),
    )
    assert ended.code == 0, ended.err
    report = json.loads((place.here / "dist" / "report.json").read_text())
    timed = rows(report, "latency")
    for backend in ("litert", THERE):
        assert timed["tiny.fp32.tflite", backend]["vs_fp32"] == pytest.approx(1)
        assert timed["tiny.int8.tflite", backend]["vs_fp32"] > 0
    assert {row["verdict"] for row in report["parity"]} == {"pass"}
    assert "pi4" in (place.here / "dist" / "report.html").read_text()


@pytest.mark.slow
def test_bench_ranks_each_machine_by_itself(host: Sshd, place: Place, converted: Path) -> None:
    words = ["bench", str(converted), "--backends", f"litert,{THERE},onnxruntime@pi4", "--budget", "2"]
    ended = run(place, *words, "--json")
    assert ended.code in (0, 5), ended.err
    document = json.loads(ended.out)
    by_machine: dict[str, list[int]] = {}
    for row in document["rows"]:
        by_machine.setdefault(row["backend"].partition("@")[2], []).append(row["rank"])
    assert {host: (min(ranks), len(ranks)) for host, ranks in by_machine.items()} == {
        "": (1, 2),
        "pi4": (1, 4),
    }
    assert document["hosts"]["pi4"]["machine"]["cores"]
    # The files of the folder that nothing named opens are left out, and that is said.
    words = ["bench", str(converted), "--backends", f"litert,{THERE}", "--budget", "1"]
    ended = run(place, *words, "--html", "b.html")
    note = " ".join(ended.out.split())
    assert f"none of --backends litert,{THERE} opens tiny.fp32.onnx, tiny.int8.onnx: not timed" in note
    assert "On pi4: " in ended.out
    assert "Here: " in ended.out
    page = (place.here / "b.html").read_text()
    assert "Results, on pi4" in page


def test_weights_beside_an_onnx_file_go_along(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    model = onnx.load(converted / "tiny.int8.onnx")
    (place.here / "w").mkdir()
    onnx.save_model(
        model,
        place.here / "apart.onnx",
        save_as_external_data=True,
        size_threshold=0,
        location="w/tiny.bin",
    )
    assert (place.here / "w" / "tiny.bin").stat().st_size > 1000
    ended = verified(place, given, "apart.onnx", "--backends", "onnxruntime@pi4")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert [row["backend"] for row in document["execution"]] == ["onnxruntime@pi4"], document["notes"]
    ended = run(place, "bench", "apart.onnx", "--backends", "onnxruntime@pi4", "--budget", "1", "--json")
    document = json.loads(ended.out)
    assert [row["artifact"] for row in document["rows"]] == ["apart.onnx"], ended.err
    assert document["size_bytes"]["apart.onnx"] > (place.here / "w" / "tiny.bin").stat().st_size


def test_golden_vectors_are_replayed_there(host: Sshd, place: Place, given: Given, converted: Path) -> None:
    file = str(converted / "tiny.int8.tflite")
    saved = verified(place, given, file, "--save-golden", str(place.here / "g.npz"))
    assert saved.code == 0, saved.err
    ended = run(place, "verify", file, "--golden", "g.npz", "--backends", f"litert,{THERE}", "--json")
    assert ended.code == 0, ended.err
    both = {row["backend"]: row for row in json.loads(ended.out)["rows"]}
    assert {**both["litert"], "backend": THERE} == both[THERE]


PACKED = ("--profiles", "litert", "--schemes", "int8", "--images", "40", "--golden", "6")


def packed(place: Place, given: Given, converted: Path, *words: str) -> Ended:
    return run(place, "package", str(converted), "--data", str(given.data), *PACKED, *words)


@pytest.mark.slow
def test_a_bundle_is_proved_and_timed_there(host: Sshd, place: Place, given: Given, converted: Path) -> None:
    ended = packed(place, given, converted, "--backends", f"{THERE},litert")
    assert ended.code == 0, ended.err
    assert "litert@pi4" in ended.out
    bundle = place.here / "bundle"
    index = json.loads((bundle / "bundle.json").read_text())
    rows = [row for row in index["runtimes"] if row["backend"] in ("litert", THERE)]
    assert [row["backend"] for row in rows] == ["litert", THERE]  # what is proved anyhow is proved once
    here, there = rows
    assert (there["status"], there["golden_same_top1"], there["n"]) == ("agrees", 6, 40)
    assert (there["counterpart"], there["identical"]) == ("litert", there["values"])
    assert there["max_abs"] == here["max_abs"]
    (timed,) = index["latency"]
    assert (timed["artifact"], timed["backend"]) == ("litert/tiny.int8.tflite", THERE)
    assert index["hosts"]["pi4"]["runtimes"].keys() == {"litert"}
    golden = json.loads((bundle / "golden" / "golden.json").read_text())
    assert THERE in {row["runtime"] for row in golden["files"][0]["tolerances"]}
    assert "- `pi4`: " in (bundle / "README.md").read_text()
    assert "One image, on `pi4`, " in (bundle / "MODEL_CARD.md").read_text()
    assert f"--backends {THERE},litert" in index["command"]


@pytest.mark.slow
def test_a_bundle_stands_where_a_host_goes_away(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    with disturbed(host, is_at_work, host.drop):
        ended = packed(place, given, converted, "--backends", THERE)
    assert ended.code == 3
    (error,) = ended.errors
    assert error.startswith(f"error: litert/tiny.int8.tflite on {THERE}: pi4 went away")
    index = json.loads((place.here / "bundle" / "bundle.json").read_text())
    statuses = {row["backend"]: row["status"] for row in index["runtimes"]}
    assert (statuses["litert"], statuses[THERE]) == ("agrees", "not run")
    assert "litert@pi4: not run" in (place.here / "bundle" / "README.md").read_text()


def test_a_bundle_of_a_host_that_is_not_there(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    host.stop()
    ended = packed(place, given, converted, "--backends", THERE)
    assert ended.code == 3
    assert ended.errors[0].startswith("error: pi4: no ssh server listens there")
    assert not (place.here / "bundle").exists()


@pytest.mark.slow
def test_doctor_of_another_machine(host: Sshd, place: Place) -> None:
    ended = run(place, "doctor", "--host", "pi4", "--json")
    assert ended.code in (0, 3), ended.err
    states = {one["backend"]: one for one in json.loads(ended.out)["backends"]}
    assert states["litert"]["devices"][0]["status"] == "opens"


@pytest.mark.parametrize("words", [("convert",), ("verify", "x.tflite"), ("bench", "x.tflite")])
def test_a_name_that_is_no_host(place: Place, words: tuple[str, ...]) -> None:
    (place.here / "x.tflite").write_bytes(b"")
    ended = run(place, *words, "--backends", "litert@-oProxyCommand=x")
    assert ended.code == 2
    assert "names no host" in ended.err


def test_a_gpu_that_is_not_there_is_refused_with_what_brings_its_runtime(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    ended = verified(place, given, str(converted / "tiny.int8.onnx"), "--backends", "onnxruntime:cuda@pi4")
    assert ended.code == 3
    error = json.loads(ended.out)["error"]
    assert error.startswith("on pi4: this onnxruntime has no CUDAExecutionProvider")
    assert error.endswith("`resnet-edge host prepare pi4 --backends onnxruntime:cuda` brings it")


def test_a_host_that_is_not_there_ends_it_at_once(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    host.stop()
    ended = verified(place, given, str(converted / "tiny.int8.tflite"), "--backends", f"litert,{THERE}")
    assert ended.code == 3
    assert json.loads(ended.out)["error"].startswith("pi4: no ssh server listens there")


def test_golden_vectors_are_of_this_machine(place: Place, given: Given, converted: Path) -> None:
    words = [str(converted / "tiny.int8.tflite"), "--backends", THERE, "--save-golden", "g.npz"]
    ended = verified(place, given, *words)
    assert ended.code == 2
    assert "--backends names only others: add one without @HOST" in json.loads(ended.out)["error"]


def test_a_host_that_is_not_there_leaves_what_was_timed_here(
    host: Sshd, place: Place, converted: Path
) -> None:
    host.stop()
    file = str(converted / "tiny.int8.tflite")
    ended = run(place, "bench", file, "--backends", f"litert,{THERE}", "--budget", "1", "--json")
    document = json.loads(ended.out)
    assert ended.code == 3, ended.err
    assert [row["backend"] for row in document["rows"]] == ["litert"]
    assert [one["backend"] for one in document["failures"]] == [THERE]


def test_prune_measures_here(place: Place, given: Given) -> None:
    words = ["prune", str(given.model), "--data", str(given.data), "--method", "channel", "--out", "p.keras"]
    ended = run(place, *words, "--target-latency", "0.5x", "--backend", THERE)
    assert ended.code == 2
    assert "is on another machine, and this is measured here" in ended.err


def test_a_host_that_goes_away_leaves_the_other_rows(
    host: Sshd, place: Place, given: Given, converted: Path
) -> None:
    file = str(converted / "tiny.int8.tflite")
    with disturbed(host, is_at_work, host.drop):
        ended = verified(place, given, file, "--backends", f"litert,{THERE}")
    document = json.loads(ended.out)
    assert ended.code == 3, ended.err
    assert rows(document)["tiny.int8.tflite", "litert"]["verdict"] == "pass"
    (failure,) = document["failures"]
    assert failure["what"] == f"tiny.int8.tflite on {THERE} cpu"
    assert "pi4" in failure["message"]
    again = verified(place, given, file, "--backends", f"litert,{THERE}")
    assert again.code == 0, again.err


@pytest.mark.slow
def test_a_raspberry_pi_from_nothing(raspberry: Sshd, place: Place, given: Given, converted: Path) -> None:
    """aarch64 under qemu: prepared over ssh, then an int8 file is proved with ARM's kernels, to the bit."""
    prepared = run(place, "host", "prepare", "pi4", "--backends", "litert", "--json")
    if "pip's registry" in prepared.out:
        pytest.skip(prepared.out)  # no registry is reached: there are no wheels to bring
    assert prepared.code == 0, prepared.err
    assert json.loads(prepared.out)["machine"] == "aarch64"
    file = str(converted / "tiny.int8.tflite")
    ended = verified(place, given, file, "--backends", f"litert,{THERE}")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    both = rows(document)
    assert {**both["tiny.int8.tflite", "litert"], "backend": THERE} == both["tiny.int8.tflite", THERE]
    assert document["machine"]["hosts"]["pi4"]["architecture"] == "aarch64"
