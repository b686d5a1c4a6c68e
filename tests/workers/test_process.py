"""Tests of workers.process with real processes: whatever one does, the parent gets a reply or one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_edge.core.errors import (
    DataError,
    ResnetEdgeError,
    UsageError,
    WorkerFailed,
)
from resnet_edge.core.files.atomic import hidden
from resnet_edge.core.files.scratch import sweep
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess, keep_logs, log_folder
from resnet_edge.workers.progress import Progress
from resnet_edge.workers.sandbox import Shut
from tests.workers.probing import ENV, PROBES, Reply, log_of


def gone(pid: int) -> bool:
    """Whether `pid` ends within ten seconds; a zombie counts as ended."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_one_worker_serves_several_calls(worker: WorkerProcess) -> None:
    first = worker.call("probes:echo", {"text": "a"}, Reply)
    second = worker.call("probes:echo", {"text": "b", "number": 2}, Reply)
    assert (first["text"], second["text"], second["number"]) == ("a", "b", 2)
    assert first["pid"] == second["pid"] != os.getpid()
    assert worker.peak_bytes > 1_000_000


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), number=st.integers(-(2**53), 2**53))
def test_any_text_and_number_come_back_as_sent(worker: WorkerProcess, text: str, number: int) -> None:
    reply = worker.call("probes:echo", {"text": text, "number": number}, Reply)
    assert (reply["text"], reply["number"]) == (text, number)


def test_a_large_request_and_reply(worker: WorkerProcess) -> None:
    text = "x" * 5_000_000
    assert worker.call("probes:echo", {"text": text}, Reply)["text"] == text


def test_a_path_that_is_not_utf8_is_a_usage_error(worker: WorkerProcess) -> None:
    with pytest.raises(UsageError, match="not valid UTF-8"):
        worker.call("probes:echo", {"text": os.fsdecode(b"photos-\xff")}, Reply)
    assert worker.call("probes:echo", {"text": "still there"}, Reply)["text"] == "still there"


def test_progress_arrives_complete_and_in_order(worker: WorkerProcess) -> None:
    reports: list[Progress] = []
    worker.call("probes:count", {"text": "n", "number": 500}, Reply, reports.append)
    assert [news.done for news in reports] == list(range(1, 501))
    assert reports[-1] == Progress(step="count", done=500, total=500, note="n 499")


@pytest.mark.parametrize("name", ["dist", "a b.c", ".hidden", "x.0123abcd.unfinished"])
@pytest.mark.parametrize("function", ["refuse", "break_on", "die_while_reading"])
def test_a_folder_that_is_not_whole_yet_goes_by_its_name(tmp_path: Path, name: str, function: str) -> None:
    folder = hidden(tmp_path / name)
    folder.mkdir()
    request = {"text": f"{folder}/net.tflite", "number": 9}
    grant = Grant(writes=(str(folder),))
    with (
        WorkerProcess("probe", tmp_path / "log", ENV, grant) as worker,
        pytest.raises(ResnetEdgeError) as caught,
    ):
        worker.call(f"probes:{function}", request, Reply)
    assert f"{tmp_path}/{name}/" in str(caught.value)
    assert folder.name not in str(caught.value)


def test_abort_names_the_signal_and_the_log_has_the_last_words(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match=f"probe was ended by SIGABRT.*{worker.log}"):
        worker.call("probes:abort", {}, Reply)
    assert "the last words of a converter" in log_of(worker)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (signal.SIGSEGV, "a library crashed: if the file that it read is damaged, copy or save it again"),
        (signal.SIGBUS, "a library crashed"),
        (signal.SIGALRM, "a file that takes so long to read is damaged"),
    ],
)
def test_a_crash_names_what_it_was_doing_and_what_may_help(
    worker: WorkerProcess, number: signal.Signals, hint: str
) -> None:
    words = rf"probe was ended by {number.name} in 'model' \(reading net.h5\); {hint}.* \(full log"
    with pytest.raises(WorkerFailed, match=words):
        worker.call("probes:die_while_reading", {"text": "net.h5", "number": number}, Reply)


@dataclass
class Target:
    path: str


@dataclass
class Given:
    """As `bench` asks for a session."""

    target: Target


def test_a_crash_names_the_file_that_the_request_is_about(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match=r"a library crashed: if a\.tflite is damaged"):
        worker.call("probes:abort", Given(Target("a.tflite")), Reply)


def test_what_was_finished_is_not_blamed(worker: WorkerProcess) -> None:
    worker.call("probes:count", {"text": "", "number": 2}, Reply)
    with pytest.raises(WorkerFailed, match=r"probe was ended by SIGABRT; a library"):
        worker.call("probes:abort", {}, Reply)


def test_sigkill_hints_at_memory(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match="ended by SIGKILL; too little memory"):
        worker.call("probes:kill", {}, Reply)


@pytest.mark.parametrize("code", [0, 3])
def test_leaving_in_a_call_is_a_failure_whatever_the_code(worker: WorkerProcess, code: int) -> None:
    with pytest.raises(WorkerFailed, match=f"probe exited with {code}"):
        worker.call("probes:leave", {"number": code}, Reply)
    with pytest.raises(WorkerFailed, match="was closed"):
        worker.call("probes:echo", {}, Reply)


def test_prints_go_to_the_log_and_never_to_the_protocol(
    worker: WorkerProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    assert worker.call("probes:print_everywhere", {"text": "true"}, Reply)["text"] == "true"
    assert capfd.readouterr() == ("", "")
    log = log_of(worker)
    for words in [
        "while the module is imported",
        "forged",
        "level C",
        "to stderr",
        "a child process",
        "✓ 日本",
    ]:
        assert words in log


def test_a_site_that_prints_at_start_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello from site')")
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{PROBES}"}
    with WorkerProcess("probe", tmp_path / "log", env) as worker:
        assert worker.call("probes:echo", {"text": "x"}, Reply)["text"] == "x"
        assert "hello from site" in log_of(worker)


def test_a_reply_of_the_wrong_shape_is_no_traceback(worker: WorkerProcess) -> None:
    """JSON has no NaN: msgspec sends null, and a float cannot be null."""
    import msgspec

    Figures = msgspec.defstruct("Figures", [("number", float)])
    with pytest.raises(WorkerFailed, match="probe sent no Figures"):
        worker.call("probes:answer_with_nan", {}, Figures)


def test_leaving_ends_a_sleeping_worker_and_its_children(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupt(news: Progress) -> None:
        pids.extend(map(int, news.note.split()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        worker.call("probes:sleep_with_child", {}, Reply, interrupt)
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_after_an_interrupt_no_stale_answer_is_taken(worker: WorkerProcess) -> None:
    def interrupt(news: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.call("probes:count", {"number": 3}, Reply, interrupt)
    with pytest.raises(WorkerFailed, match="was closed"):
        worker.call("probes:echo", {}, Reply)


def test_a_fork_that_outlives_the_worker_does_not_hang_the_parent(worker: WorkerProcess) -> None:
    with pytest.raises(WorkerFailed, match="exited with 7"):
        worker.call("probes:die_leaving_a_fork", {}, Reply)


PARENT = """
import sys
from pathlib import Path
from resnet_edge.workers.process import WorkerProcess
worker = WorkerProcess("probe", Path(sys.argv[1]))
worker.call("probes:sleep_with_child", {}, dict, lambda news: print(news.note, flush=True))
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_parent_however_that_ends(tmp_path: Path, end: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        env={**os.environ, **ENV},
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.send_signal(end)
    parent.wait()
    parent.stdout.close()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_nothing_is_imported_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("random.py", "org.py", "ai_edge_litert_sdk_intel.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')")
    (tmp_path / "envwrap").mkdir()
    monkeypatch.chdir(tmp_path)
    # An empty entry means the current folder, and so does a relative one in whatever folder this is.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(PROBES), ""]))
    with WorkerProcess("probe", tmp_path / "log") as worker:
        origins = worker.call("probes:locate_modules", {"text": "random org envwrap"}, dict[str, str])
    assert origins["org"] == origins["envwrap"] == ""
    assert origins["random"].startswith(sys.base_prefix)


@pytest.mark.parametrize(
    "name",
    ["PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONBREAKPOINT", "KERAS_MAX_EPOCHS", "TF_USE_LEGACY_KERAS"],
)
def test_what_would_change_results_stays_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1" if name != "PYTHONWARNINGS" else "error")
    with WorkerProcess("probe", tmp_path / "log", ENV) as worker:
        assert name not in worker.call("probes:environment", {}, dict[str, str])


def test_a_worker_is_shut_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever code a file got to run: it reaches no one and leaves nothing."""
    home, here, out = (tmp_path / name for name in ("home", "here", "out"))
    for folder in (home, here, out):
        folder.mkdir()
    (here / "data.npz").write_bytes(b"of the user")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attack = {"text": f"{home} {here} {out}", "number": port}
        with WorkerProcess("probe", tmp_path / "log", ENV, Grant(free=True)) as worker:
            assert set(worker.call("probes:attack", attack, dict[str, str]).values()) == {"done"}
        assert (home / "new").exists()
        for path in (*home.iterdir(), *out.iterdir(), here / "new"):
            path.unlink()
        (here / "data.npz").write_bytes(b"of the user")
        with WorkerProcess("probe", tmp_path / "log", ENV, Grant(writes=(str(out),))) as worker:
            held = worker.call("probes:attack", attack, dict[str, str])
    state = probed()
    if not state.files:
        pytest.skip(f"this kernel does not shut in: {state.why_not}")
    allowed = {f"write {out}", "write scratch", "child out"}
    assert {what for what, came in held.items() if came == "done"} == allowed
    assert [*home.iterdir()] == []
    assert [*here.iterdir()] == [here / "data.npz"]
    assert (here / "data.npz").read_bytes() == b"of the user"


def probed() -> Shut:
    """What holds in a process that shuts itself in."""
    code = "import dataclasses, json; from resnet_edge.workers.sandbox import shut_in; "
    code += "print(json.dumps(dataclasses.asdict(shut_in([], network=False))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return Shut(**json.loads(done.stdout))


def test_a_worker_with_the_network_still_writes_nowhere(tmp_path: Path) -> None:
    if not probed().files:
        pytest.skip("this kernel does not shut in")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        WorkerProcess("probe", tmp_path / "log", ENV, Grant(network=True)) as worker,
    ):
        attack = {"text": f"{tmp_path} {tmp_path} {tmp_path}", "number": server.getsockname()[1]}
        held = worker.call("probes:attack", attack, dict[str, str])
    assert {what for what, came in held.items() if came == "done"} == {
        "write scratch",
        "connect",
        "udp",
        "unix",
    }


def test_temporary_files_go_with_a_worker_however_it_ends(tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    env = {**ENV, "TMPDIR": str(place)}
    with WorkerProcess("probe", tmp_path / "log", env) as worker:
        left = worker.call("probes:leave_temporary_files", {}, Reply)["text"]
        assert Path(str(left)).is_relative_to(place)
        assert Path(str(left)).exists()
    assert [*place.iterdir()] == []
    with WorkerProcess("probe", tmp_path / "log", env) as worker:
        worker.call("probes:leave_temporary_files", {}, Reply)
        with pytest.raises(WorkerFailed):
            worker.call("probes:kill", {}, Reply)
    assert [*place.iterdir()] == []


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        env={**os.environ, **ENV, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    (left,) = tmp_path.glob("resnet-edge-*")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert all(gone(pid) for pid in pids)
    assert left.exists()
    sweep(tmp_path)
    assert not left.exists()


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match="probe cannot be started"):
        WorkerProcess("probe", tmp_path / "no such folder" / "log")


def test_logs_are_kept_only_where_a_worker_failed() -> None:
    with log_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(DataError), log_folder() as folder:
        raise DataError("the user's fault")
    assert not folder.exists()
    with pytest.raises(WorkerFailed), log_folder() as folder:
        raise WorkerFailed("it cannot be started, and wrote nothing")
    assert not folder.exists()
    with pytest.raises(WorkerFailed), log_folder() as folder:
        raise WorkerFailed(f"see {folder}")
    folder.rmdir()
    with log_folder() as folder:
        keep_logs(folder)  # the failure was no end of the run, and what is told names a log
    assert folder.is_dir()
    shutil.rmtree(folder)
