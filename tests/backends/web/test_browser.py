from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core import registry
from resnet_edge.core.errors import ResnetEdgeError
from resnet_edge.inspection.doctor import ProbeBackend
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import tiny
from tests.backends.pages import left_behind, loaded, processes

backend = loaded("onnxruntime_web")
from resnet_edge.backends._web import browser as web_browser  # noqa: E402  (it needs what `loaded` looked for)

pytestmark = pytest.mark.chromium
IMAGE = np.ones((1, *tiny.SHAPE), np.float32)


def test_browser_that_is_killed_is_an_error_and_the_next_session_has_a_new_one(artifacts: Path) -> None:
    path = artifacts / "fixed.onnx"
    with backend.open_session(path, "cpu", 1) as session:
        for process in processes(f"--user-data-dir={web_browser.browser()._folder}"):
            os.kill(process, signal.SIGKILL)
        with pytest.raises(ResnetEdgeError, match="browser") as caught:
            session.run(IMAGE)
        assert "\n" not in str(caught.value)
    with backend.open_session(path, "cpu", 1) as session:
        assert session.run(IMAGE).shape == (1, tiny.CLASSES)


def test_page_that_hangs_is_an_error_and_the_next_session_has_a_new_one(artifacts: Path) -> None:
    path = artifacts / "fixed.onnx"
    browser = web_browser.browser()
    with browser.page(path, "hangs") as page:
        hang = page._page.evaluate("() => { resnetEdge.hang = () => { for (;;); }; }")
        browser.do(hang, 10, "teaching it to hang")
        with pytest.raises(ResnetEdgeError, match="took more than 1 s"):
            page.call("hang", {}, 1)
    with backend.open_session(path, "cpu", 1) as session:
        assert session.run(IMAGE).shape == (1, tiny.CLASSES)


def test_page_that_crashes_is_an_error(artifacts: Path) -> None:
    with backend.open_session(artifacts / "fixed.onnx", "cpu", 1) as session:
        browser, page = session._page._browser, session._page._page
        with pytest.raises(ResnetEdgeError, match="browser"):
            browser.do(page.goto("chrome://crash"), 20, "a visit")
        with pytest.raises(ResnetEdgeError) as caught:
            session.run(IMAGE)
        assert "\n" not in str(caught.value)


def test_pages_are_used_again_but_not_after_a_refusal(artifacts: Path) -> None:
    browser = web_browser.browser()
    for file, kept in (("fixed.onnx", True), ("dynamic.onnx", True), ("random.onnx", False)):
        try:
            with backend.open_session(artifacts / file, "cpu", 1):
                pass
        except ResnetEdgeError:
            pass
        assert ((backend._RUNTIME, "cpu", 1) in browser._idle) is kept, file


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for temporary files, whose path is short enough for Chromium's socket."""
    with tempfile.TemporaryDirectory(prefix="edge-", dir="/tmp") as folder:
        yield Path(folder)


def test_nothing_is_left_of_a_worker_that_was_killed(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    with WorkerProcess("browses", short / "log", grant=backends_grant(["onnxruntime_web"])) as worker:
        probe = worker.run(ProbeBackend(backend="onnxruntime_web"))
        assert probe.devices[0].status == "opens"
        assert list(short.glob("resnet-edge-browser-*"))
    assert left_behind(short) == []
    assert [entry.name for entry in short.iterdir()] == ["log"]


@pytest.mark.parametrize("inside", ["", "a-very-long-name-of-a-folder" * 4], ids=["short", "long"])
def test_nothing_is_left_of_a_process_that_ends(short: Path, inside: str) -> None:
    (short / inside).mkdir(exist_ok=True)
    code = "from resnet_edge.backends._web import browser as b; print(b.browser().alive)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "TMPDIR": str(short / inside)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert left_behind(short) == []
    assert not any((short / inside).glob("*/*"))


@pytest.mark.parametrize("name", ["litert_js", "onnxruntime_web"])
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RESNET_EDGE_NODE_MODULES": "EMPTY/node_modules"}, "npm install --ignore-scripts --prefix EMPTY "),
        ({"PATH": "EMPTY"}, "apt-get install chromium"),
    ],
    ids=["packages", "browser"],
)
def test_what_is_missing_is_not_installed_and_how_to_install_it(
    name: str, environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    assert name in registry.names("backends")
    environment = {key: value.replace("EMPTY", str(tmp_path)) for key, value in environment.items()}
    with (
        WorkerProcess("lacks", tmp_path / "log", environment) as worker,
        pytest.raises(ResnetEdgeError) as caught,
    ):
        worker.run(ProbeBackend(backend=name))
    assert type(caught.value).__name__ == "MissingDependency"
    assert words.replace("EMPTY", str(tmp_path)) in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)
