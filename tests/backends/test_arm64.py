"""LiteRT and ONNX Runtime for ARM: the numbers of x86, and one line when the emulated program ends."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.backends import _arm64_environment, litert, onnxruntime
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.tensors import quantize
from tests.backends import tiny
from tests.backends.pages import started
from tests.formats import nets
from tests.graph.road import Road, road

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

PROGRAM = "python_runtime.py"
ROOT = Path(__file__).parents[2]
NATIVE = {"litert_arm64": litert, "onnxruntime_arm64": onnxruntime}
SUFFIX = {"litert_arm64": ".tflite", "onnxruntime_arm64": ".onnx"}


@pytest.fixture(params=sorted(NATIVE))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend(name: str) -> ModuleType:
    try:
        module: ModuleType = registry.load("backends", name)
        return module
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A small residual network that gives logits, and images for it."""
    image = keras.Input((12, 10, 3))
    x = nets.conv_bn(image, 16)
    x = layers.GlobalAveragePooling2D()(layers.add([x, nets.conv_bn(x, 16)]))
    model = nets.randomized(keras.Model(image, layers.Dense(5)(x)))
    images = np.random.default_rng(5).integers(0, 256, (40, 12, 10, 3)).astype(np.float32)
    folder = tmp_path_factory.mktemp("net")
    return road(model, images, folder, output="logits", preprocessing=PRESETS["unit"])


def test_integers_are_those_of_x86(backend: ModuleType, name: str, net: Road) -> None:
    path, _ = net.artifact(min(backend.FORMATS), "int8", "int8")
    with NATIVE[name].open_session(path, "cpu", 1) as session:
        inputs = quantize(net.images, session.input)
        truth = np.concatenate([session.run(one[None]) for one in inputs])
        ends = session.input, session.output
    with backend.open_session(path, "cpu", 2) as session:
        assert (session.input, session.output) == ends
        outputs = session.each(inputs)
    assert len(np.unique(truth)) > 20
    assert len(np.unique(truth.argmax(1))) > 1
    np.testing.assert_array_equal(outputs, truth)


def test_it_is_the_version_that_runs_on_x86(backend: ModuleType, name: str) -> None:
    assert backend.version() == NATIVE[name].version()


def test_many_images_pass_through_the_pipe(backend: ModuleType, name: str, artifacts: Path) -> None:
    images = tiny.pixels(3000).astype(np.float32)  # 768 kB, more than a pipe holds
    with backend.open_session(artifacts / f"dynamic{SUFFIX[name]}", "cpu", 1) as session:
        outputs = session.run(images)
    np.testing.assert_allclose(outputs, tiny.logits(images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_program_that_dies_is_one_line(
    backend: ModuleType, name: str, artifacts: Path, number: signal.Signals
) -> None:
    image = tiny.pixels(1).astype(np.float32)
    with backend.open_session(artifacts / f"fixed{SUFFIX[name]}", "cpu", 1) as session:
        session.run(image)
        [process] = started(PROGRAM)
        os.kill(process, number)
        with pytest.raises(ArtifactError, match=f"for aarch64 was ended by {number.name}") as caught:
            session.run(image)
    assert "\n" not in str(caught.value)
    assert not started(PROGRAM)


def test_an_instruction_that_the_processor_lacks_is_one_line(
    backend: ModuleType, net: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernels are chosen by what proc/cpuinfo says, and a Cortex-A53 has no dot products."""
    emulator = _arm64_environment.command("tflite")[0]
    banner = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=True).stdout
    if int(banner.split()[2].partition(".")[0]) > 7:
        pytest.skip("this qemu has a proc/cpuinfo of its own, and no kernel is chosen wrongly")
    monkeypatch.setattr(_arm64_environment, "CPU", "cortex-a53")
    path, _ = net.artifact(min(backend.FORMATS), "int8", "int8")
    with (
        pytest.raises(ArtifactError, match=r"for aarch64 was ended by SIGILL \(qemu: uncaught") as caught,
        backend.open_session(path, "cpu", 1) as session,
    ):
        session.run(quantize(net.images[:1], session.input))
    assert "\n" not in str(caught.value)
    assert not started(PROGRAM)


def test_a_program_that_hangs_is_one_line(
    backend: ModuleType, name: str, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with backend.open_session(artifacts / f"fixed{SUFFIX[name]}", "cpu", 1) as session:
        os.kill(started(PROGRAM)[0], signal.SIGSTOP)
        monkeypatch.setattr(session, "_seconds", 0.5)
        with pytest.raises(ArtifactError, match="for aarch64 gave no answer"):
            session.run(tiny.pixels(1).astype(np.float32))
    assert not started(PROGRAM)


def test_another_processor_model_is_refused_by_qemu_in_one_line(
    backend: ModuleType, name: str, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_arm64_environment, "CPU", "abacus")
    with (
        pytest.raises(ArtifactError, match="exited with 1 .*CPU model 'abacus'") as caught,
        backend.open_session(artifacts / f"fixed{SUFFIX[name]}", "cpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_without_its_environment_the_command_that_makes_it_is_told(name: str, tmp_path: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("it is for Linux on x86-64")
    code = f"from resnet_edge.core import registry; registry.load('backends', '{name}')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "RESNET_EDGE_ARM64": str(tmp_path / "none")},
        capture_output=True,
        text=True,
    )
    [line] = [line for line in done.stderr.splitlines() if "MissingDependency" in line][-1:]
    command = line[line.index(": sh ") + 2 :].split()
    assert Path(command[1]).is_file()
    assert command[2:] == [sys.executable, str(tmp_path / "none")]


@pytest.mark.parametrize(
    ("system", "processor", "words"),
    [
        ("Linux", "aarch64", "litert runs there what litert_arm64 emulates: use litert"),
        ("Darwin", "arm64", "litert runs there"),
        ("Windows", "AMD64", "it runs on Linux on x86-64, and this is Windows on AMD64"),
    ],
)
def test_elsewhere_it_says_what_to_use(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, words: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    with pytest.raises(MissingDependency, match=words):
        _arm64_environment.require("litert_arm64", "ai-edge-litert", "litert")


def test_what_is_installed_is_what_is_tested() -> None:
    """constraints.txt has the versions for x86: with others, numbers may differ for another reason."""
    wanted = (_arm64_environment.PROGRAMS / "arm64_requirements.txt").read_text("utf-8").splitlines()
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert [line for line in wanted if not line.startswith("#") and line not in pins] == []
    assert len(wanted) > 5
