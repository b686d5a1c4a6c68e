"""The GPU rows: which are run, for how long, what ends them, and what the table says of an imitated GPU."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.call import call
from benchmarks.gpu.figures import devices, figures
from benchmarks.gpu.files import SCHEMES, network_files
from benchmarks.gpu.libraries import library_path
from benchmarks.gpu.rows import (
    GROUPS,
    NETWORKS,
    Row,
    Target,
    all_rows,
    limit,
    read_doctor,
    where,
    with_what_is_here,
)
from benchmarks.gpu.table import summary, table
from resnet_edge.benchmarking.task import ListOffers
from resnet_edge.core.device import is_software
from resnet_edge.core.errors import MissingDependency
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends.vulkan import needed

STATES = {
    "litert:gpu": Target(device="gpu-software"),
    "onnxruntime:cuda": Target(device="cuda"),
    "onnxruntime:cuda-tf32": Target(device="cuda-tf32"),
    "onnxruntime:tensorrt": Target(why="no TensorRT"),
    "keras_jax:gpu": Target(why="JAX sees no GPU"),
    "keras_jax:gpu-tf32": Target(why="JAX sees no GPU"),
    "onnxruntime_web:gpu": Target(why="the package playwright is not installed"),
}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: ",".join(group.targets))
def test_devices_are_those_that_the_backend_knows(group: Any, tmp_path: Path) -> None:
    with WorkerProcess("offers", tmp_path / "log", grant=backends_grant([group.backend])) as worker:
        try:  # in a process of its own: Keras computes with one framework
            offers = worker.run(ListOffers(backend=group.backend))
        except MissingDependency as error:
            pytest.skip(str(error))  # an extra
    assert set(group.devices) <= {*offers.devices}
    assert group.suffix in offers.formats


def test_every_device_is_verified_and_timed_on_every_network() -> None:
    rows = list(all_rows(list(NETWORKS)))
    for group in GROUPS:
        for network in NETWORKS:
            own = [row for row in rows if row.targets == group.targets and row.network == network]
            assert [row.command for row in own if row.command == "verify"] == ["verify"]
            assert sorted(row.batch or 0 for row in own if row.command == "bench") == [1, 32]
    assert {"convert", "train", "strided"} <= {row.command for row in rows}
    assert len({row.name for row in rows}) == len(rows)


def test_doctor_says_what_opens_and_why_not() -> None:
    document = {
        "backends": [
            {"backend": "litert", "devices": [{"device": "gpu-software", "status": "opens", "detail": ""}]},
            {
                "backend": "keras_jax",
                "devices": [{"device": "-", "status": "not installed", "detail": "no jax"}],
            },
            {"backend": "onnxruntime", "devices": [{"device": "cuda", "status": "opens", "detail": ""}]},
        ]
    }
    states = read_doctor(document)
    assert states["litert:gpu"] == Target(device="gpu-software")
    assert states["keras_jax:gpu"] == Target(why="no jax")
    assert states["onnxruntime:cuda"] == Target(device="cuda")
    assert states["onnxruntime:tensorrt"].why == "doctor does not know onnxruntime:tensorrt"
    assert set(states) == {target for group in GROUPS for target in group.targets}


def row(command: str, *targets: str) -> Row:
    return Row(command=command, network="resnet20", targets=targets)


def test_what_is_imitated_is_verified_and_never_timed() -> None:
    verified, reasons = with_what_is_here(row("verify", "litert:gpu"), STATES, stand_in=False)
    assert (verified.targets, reasons) == (("litert:gpu",), ())
    timed, reasons = with_what_is_here(row("bench", "litert:gpu"), STATES, stand_in=False)
    assert timed.targets == ()
    assert "imitated by a program" in reasons[0]
    timed, _ = with_what_is_here(row("bench", "litert:gpu"), STATES, stand_in=True)
    assert timed.targets == ("litert:cpu",)


def test_a_device_that_is_not_there_does_not_keep_the_others_of_its_row() -> None:
    both = row("bench", "onnxruntime:cuda", "onnxruntime:tensorrt", "onnxruntime:cuda-tf32")
    here, reasons = with_what_is_here(both, STATES, stand_in=True)
    assert here.targets == ("onnxruntime:cuda", "onnxruntime:cuda-tf32")
    assert reasons == ("onnxruntime:tensorrt: no TensorRT",)


def test_the_cpu_stands_in_once_and_for_what_is_installed() -> None:
    here, reasons = with_what_is_here(
        row("verify", "keras_jax:gpu", "keras_jax:gpu-tf32"), STATES, stand_in=True
    )
    assert (here.targets, reasons) == (("keras_jax:cpu",), ())
    here, reasons = with_what_is_here(row("verify", "onnxruntime_web:gpu"), STATES, stand_in=True)
    assert here.targets == ()
    assert "not installed" in reasons[0]


def test_the_cpu_does_not_stand_in_for_a_convolution_of_the_gpu() -> None:
    states = {"litert:gpu": Target(why="no Vulkan")}
    here, reasons = with_what_is_here(row("strided", "litert:gpu"), states, stand_in=True)
    assert (here.targets, reasons) == ((), ("litert:gpu: no Vulkan",))


def test_rows_end_within_the_time_whatever_they_take() -> None:
    """Each takes all that it is given."""
    shares = [each.share for each in all_rows(list(NETWORKS))]
    left, limits = 500.0, []
    for index, share in enumerate(shares):
        limits.append(limit(left, share, sum(shares[index + 1 :])))
        left -= limits[-1]
    assert left >= 0
    assert min(limits) >= 0
    # ... and where each takes a third, a row that weighs the same has no less, however late.
    left, same = 500.0, []
    for index in range(len(shares)):
        same.append(limit(left, 1, len(shares) - index - 1))
        left -= same[-1] / 3
    assert min(same) == same[0]


@pytest.mark.parametrize(
    ("named", "place"),
    [
        (["cuda", "cuda-tf32"], "gpu"),
        (["gpu-software"], "software"),
        (["cuda", "gpu-software"], "software"),
        (["cpu"], "cpu"),
        ([], ""),
    ],
)
def test_a_row_is_of_a_gpu_only_where_nothing_of_it_is_imitated(named: list[str], place: str) -> None:
    assert where(named) == place


BODIES = {
    "good": ("import json; print('INFO: hello'); print(json.dumps({'parity': []}))", ""),
    "mute": ("print('hello')", "it printed no document"),
    "crash": ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV"),
    "refused": ('import sys; print(\'{"error": "no GPU"}\'); sys.exit(3)', "no GPU"),
    "lost": ("import sys; sys.exit('what is wrong')", "ended with exit code 1: what is wrong"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_command_ends_with_a_document_or_a_reason(tmp_path: Path, name: str) -> None:
    body, why = BODIES[name]
    (tmp_path / f"{name}.py").write_text(body)
    done = call([name], 30, tmp_path / "log", {"PYTHONPATH": str(tmp_path)})
    assert done.why == why
    assert done.ran == (name == "good")


@pytest.mark.parametrize("ignores", [False, True])
def test_a_command_without_an_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignores: bool
) -> None:
    monkeypatch.setattr("benchmarks.gpu.call.GRACE", 0.3)
    handler = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" if ignores else ""
    (tmp_path / "endless.py").write_text(f"{handler}\nimport time\nprint('x', flush=True)\ntime.sleep(60)")
    began = time.monotonic()
    done = call(["endless"], 0.7, tmp_path / "log", {"PYTHONPATH": str(tmp_path)})
    assert time.monotonic() - began < 10
    assert done.why == "no end within 1 s"
    assert not done.ran


PARITY = {
    **{"artifact": "a.fp32.tflite", "backend": "litert", "device": "gpu-software", "n": 8, "agreement": 1.0},
    **{"agreement_ci95": [0.6, 1.0], "drop_pp": 0.0, "drop_ci95_pp": [-30.0, 30.0], "max_abs": 1e-6},
    **{"sqnr_db": 120.0, "verdict": "pass", "reasons": [], "labels": []},
}
TIMED = {
    **{"artifact": "a.int8.onnx", "backend": "onnxruntime", "device": "cuda", "batch": 32, "p50_ms": 2.0},
    **{"p50_ci95_ms": [1.9, 2.1], "per_second": 16000.0, "verdict": "pass", "reasons": []},
}


def test_figures_are_those_of_the_document_and_name_their_device() -> None:
    kept = figures({"parity": [PARITY], "rows": [TIMED], "failures": [{"what": "b", "message": "no room"}]})
    assert devices(kept) == ["gpu-software", "cuda"]
    assert "labels" not in kept["parity"][0]
    assert kept["failures"] == ["no room"]
    assert figures({}) == {}


def test_the_table_has_what_was_run_and_why_the_rest_was_not() -> None:
    base = {"network": "resnet20", "batch": None, "why": [], "seconds": 3.0, "tried": ["x"]}
    rows = [
        {**base, "command": "verify", "ran_on": "software", "parity": [PARITY]},
        {**base, "command": "bench", "batch": 32, "ran_on": "gpu", "latency": [TIMED]},
        {**base, "command": "bench", "batch": 1, "ran_on": "", "why": ["no_time was|left"]},
    ]
    text = table({"gpus": {"nvidia": ["H"], "vulkan": []}, "stand_in": False, "rows": rows})
    assert "GPUs: H. Of 3 rows: 1 on a GPU, 1 in software, 1 not at all." in text
    numbers = "pass | 8 | 100.00 [60.00, 100.00] | 0.00 [−30.00, 30.00] | 120.0 |"
    assert f"| fp32.tflite | litert gpu-software | {numbers}" in text
    assert "| int8.onnx | onnxruntime cuda | pass | 32 | 2.000 [1.900, 2.100] | 16000 |" in text
    assert "- `bench` of resnet20, batch 1: no\\_time was\\|left" in text
    assert "1 on the CPU in its place" in summary([{"ran_on": "cpu"}])


def test_libraries_that_pip_installed_are_on_the_path_of_the_linker(tmp_path: Path) -> None:
    for folder in ("nvidia/cu13/lib", "nvidia/cudnn/lib", "tensorrt_libs", "other/lib"):
        (tmp_path / folder).mkdir(parents=True)
    path = library_path([str(tmp_path), "", str(tmp_path / "missing")], "/already")
    names = [str(tmp_path / name) for name in ("nvidia/cu13/lib", "nvidia/cudnn/lib", "tensorrt_libs")]
    assert path.split(":") == [*names, "/already"]
    assert library_path([str(tmp_path / "missing")], "") == ""


def test_files_are_taken_fp32_first(tmp_path: Path) -> None:
    own = network_files(tmp_path, "resnet20")
    (own.folder / "dist").mkdir(parents=True)
    for scheme in sorted(SCHEMES.split(",")):
        (own.folder / "dist" / f"model.{scheme}.onnx").touch()
    assert [Path(path).name.split(".")[1] for path in own.artifacts("onnx")] == SCHEMES.split(",")
    assert own.reference(tensorflow=False).endswith("model.fp32.onnx")
    assert own.reference(tensorflow=True).endswith("model.keras")
    assert not own.whole


@pytest.mark.slow
def test_all_of_it_with_the_cpu_and_an_imitated_gpu_in_place_of_one(tmp_path: Path) -> None:
    """Of the bundled network alone: it takes as long as it is given, which is not enough for every row. The
    files are made before, without an end, as for a machine without TensorFlow."""
    if not all(adapter.is_software for adapter in needed()):
        pytest.skip("there is a GPU, of which this test says nothing")
    words = [sys.executable, "-m", "benchmarks.gpu", str(tmp_path), "--networks", "resnet20", "--stand-in"]
    subprocess.run([*words, "--prepare"], capture_output=True, check=True)
    began = time.monotonic()
    done = subprocess.run(
        [*words, "--minutes", "6", "--images", "64"], capture_output=True, text=True, check=False
    )
    assert time.monotonic() - began < 420
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "gpu.json").read_text("utf-8"))["result"]
    rows = result["rows"]
    assert len(rows) == len(list(all_rows(["resnet20"])))
    assert all(row["ran_on"] or row["why"] for row in rows)
    assert not any(row["ran_on"] == "gpu" for row in rows)
    strided, by_convolution = rows[0], {one["convolution"]: one for one in rows[0]["strided"]}
    assert strided["ran_on"] == "software"
    assert not by_convolution["3x3, stride 2, int8"]["wrong"]
    assert not by_convolution["1x1, stride 2, fp32"]["wrong"]
    parity = {
        (one["backend"], one["device"], one["artifact"]): one for row in rows for one in row.get("parity", ())
    }
    assert parity["litert", "gpu-software", "model.fp32.tflite"]["verdict"] == "pass"
    assert parity["keras_jax", "cpu", "model.keras"]["verdict"] == "pass"
    latency = [one for row in rows for one in row.get("latency", ())]
    assert {one["backend"] for one in latency} >= {"onnxruntime", "litert"}
    assert not any(is_software(one["device"]) for one in latency)
    assert str(tmp_path) not in json.dumps(result)
    assert summary(rows) in done.stdout
