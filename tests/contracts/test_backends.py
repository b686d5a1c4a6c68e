"""What backends/__init__.py asks of every file in that folder, on every device it offers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core import registry
from resnet_edge.core.device import as_software
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, MissingDependency, UsageError
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.graph.macs import work_of
from tests.backends import tiny

SUFFIXES = {"tflite": ".tflite", "onnx": ".onnx"}


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(params=registry.names("backends"))
def backend(request: pytest.FixtureRequest) -> Any:
    try:
        module = registry.load("backends", request.param)
    except (MissingDependency, UsageError) as error:  # Keras computes with one framework in a process
        pytest.skip(str(error))
    if not SUFFIXES.keys() >= module.FORMATS:
        pytest.skip(f"{request.param} opens {set(module.FORMATS)}, of which there is no tiny artifact")
    if getattr(module, "RGB_ONLY", False):
        pytest.skip("it says that it opens RGB alone: tests/backends/test_mediapipe.py has its contract")
    return module


@pytest.fixture
def suffix(backend: Any) -> str:
    return SUFFIXES[min(backend.FORMATS)]


@pytest.fixture
def dynamic(backend: Any, suffix: str, artifacts: Path) -> Path:
    """A file that takes any number of images."""
    if getattr(backend, "FIXED_BATCH", False):
        pytest.skip("it says that it opens none of a dynamic batch size")
    return artifacts / f"dynamic{suffix}"


def devices_that_open(backend: Any, path: Path) -> list[str]:
    opened = []
    for device in sorted(backend.DEVICES):
        with suppress(DeviceUnavailable), backend.open_session(path, device, 1):
            opened.append(device)
    return opened


def test_says_what_it_is(backend: Any) -> None:
    assert backend.FORMATS
    assert backend.DEVICES
    assert backend.version()[0].isdigit()


def test_every_device_is_what_it_says_or_unavailable(backend: Any, suffix: str, artifacts: Path) -> None:
    path = artifacts / f"fixed{suffix}"
    opened = devices_that_open(backend, path)
    assert opened
    for device in opened:
        with backend.open_session(path, device, 1) as session:
            assert session.device in {device, as_software(device)}


@pytest.mark.parametrize("device", ["abacus", "CPU", ""])
def test_device_it_does_not_know_is_refused(backend: Any, suffix: str, artifacts: Path, device: str) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="choose from: .*cpu"),
        backend.open_session(artifacts / f"fixed{suffix}", device, 1),
    ):
        pass


def test_specs_are_those_of_the_network(backend: Any, suffix: str, artifacts: Path) -> None:
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", 1) as session:
        assert (session.input.name, session.input.shape) == ("image", (1, *tiny.SHAPE))
        assert (session.output.name, session.output.shape) == ("logits", (1, tiny.CLASSES))
        assert session.input.dtype == session.output.dtype == "float32"
        assert session.input.quantization is session.output.quantization is None


def test_sizes_that_the_file_leaves_open_are_none(backend: Any, dynamic: Path) -> None:
    with backend.open_session(dynamic, "cpu", 1) as session:
        assert session.input.shape == (None, *tiny.SHAPE)
        assert session.output.shape == (None, tiny.CLASSES)


def test_backend_of_fixed_batches_refuses_others_when_it_opens_them(
    backend: Any, suffix: str, artifacts: Path
) -> None:
    if not getattr(backend, "FIXED_BATCH", False):
        pytest.skip("it opens any")
    for device in devices_that_open(backend, artifacts / f"fixed{suffix}"):
        with (
            pytest.raises(ArtifactError, match="dynamic"),
            backend.open_session(artifacts / f"dynamic{suffix}", device, 1),
        ):
            pass


@pytest.mark.parametrize("threads", [1, 2])
def test_logits_are_the_networks(backend: Any, suffix: str, artifacts: Path, threads: int) -> None:
    images = tiny.pixels(3).astype(np.float32)
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", threads) as session:
        got = np.concatenate([session.run(image[None]) for image in images])
    # float32 against float64 over 9 + 4 products: rounding is a few 1e-7 of the largest logit.
    assert np.abs(got - tiny.logits(images)).max() < 1e-5 * np.abs(got).max()


def test_every_device_gives_the_same_logits(backend: Any, suffix: str, artifacts: Path) -> None:
    """Imitated or not: a GPU in software is there to have its numbers proved."""
    images = tiny.pixels(3).astype(np.float32)
    path = artifacts / f"fixed{suffix}"
    for device in devices_that_open(backend, path):
        with backend.open_session(path, device, 1) as session:
            got = np.concatenate([session.run(image[None]) for image in images])
        # 2e-6 is the most that ResNets showed between WebGPU, Vulkan or CUDA and a CPU, without TF32.
        assert np.abs(got - tiny.logits(images)).max() < 1e-5 * np.abs(got).max(), device


def test_quantized_artifact_takes_and_gives_stored_numbers(
    backend: Any, suffix: str, artifacts: Path
) -> None:
    if "uint8" not in getattr(backend, "ENDS", {"uint8"}):
        pytest.skip("it says that it opens none of these")
    images = tiny.pixels(50)[:20]  # of what calibrated the TFLite file: nothing is clipped
    with backend.open_session(artifacts / f"uint8{suffix}", "cpu", 1) as session:
        assert session.input.dtype == session.output.dtype == "uint8"
        assert session.output.quantization is not None
        runs = [session.run(quantize(image[None], session.input)) for image in images]
        assert all(run.dtype == np.uint8 for run in runs)
        got = dequantize(np.concatenate(runs), session.output)
        step = session.output.quantization.scale[0]
    truth = tiny.logits(images)
    assert np.ptp(truth) > 20 * step
    assert np.abs(got - truth).max() < 6 * step


def test_each_gives_what_run_gives_one_by_one(backend: Any, suffix: str, artifacts: Path) -> None:
    images = tiny.pixels(5).astype(np.float32)
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", 1) as session:
        if not hasattr(session, "each"):
            pytest.skip("it is in this process, and has no need of it")
        one_by_one = np.concatenate([session.run(image[None]) for image in images])
        np.testing.assert_array_equal(session.each(images), one_by_one)
        with pytest.raises(ArtifactError, match="'image' takes"):
            session.each(images[:, :-1])


def test_outputs_are_fresh(backend: Any, suffix: str, artifacts: Path) -> None:
    one, other = tiny.pixels(2).astype(np.float32)[:, None]
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", 1) as session:
        first = session.run(one)
        kept = first.copy()
        second = session.run(other)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(first, kept)
        np.testing.assert_array_equal(session.run(one), kept)
    np.testing.assert_array_equal(first, kept)  # and they outlive the session


def test_dynamic_batch_takes_any(backend: Any, dynamic: Path) -> None:
    images = tiny.pixels(7).astype(np.float32)
    with backend.open_session(dynamic, "cpu", 1) as session:
        for size in (1, 7, 3, 1):
            got = session.run(images[:size])
            assert got.shape == (size, tiny.CLASSES)
            np.testing.assert_allclose(got, tiny.logits(images[:size]), rtol=0, atol=1e-4)


def test_images_need_not_be_contiguous(backend: Any, suffix: str, artifacts: Path) -> None:
    image = tiny.pixels(1).astype(np.float32)
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", 1) as session:
        np.testing.assert_array_equal(
            session.run(image[:, ::-1, ::-1]), session.run(image[:, ::-1, ::-1].copy())
        )


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, *tiny.SHAPE), np.float32),
        np.zeros((1, 9, 8, 1), np.float32),
        np.zeros((1, 8, 8, 3), np.float32),
        np.zeros(tiny.SHAPE, np.float32),
        np.zeros((1, *tiny.SHAPE), np.float64),
        np.zeros((1, *tiny.SHAPE), np.uint8),
    ],
    ids=["batch", "height", "channels", "rank", "float64", "uint8"],
)
def test_images_that_do_not_fit_are_refused(
    backend: Any, suffix: str, artifacts: Path, images: np.ndarray[Any, Any]
) -> None:
    fitting = tiny.pixels(1).astype(np.float32)
    with backend.open_session(artifacts / f"fixed{suffix}", "cpu", 1) as session:
        before = session.run(fitting)
        with pytest.raises(ArtifactError, match="'image' takes") as caught:
            session.run(images)
        assert "\n" not in str(caught.value)
        np.testing.assert_array_equal(session.run(fitting), before)  # the session is still whole


def test_no_image_is_refused(backend: Any, dynamic: Path) -> None:
    with (
        backend.open_session(dynamic, "cpu", 1) as session,
        pytest.raises(ArtifactError, match="at least one image"),
    ):
        session.run(np.zeros((0, *tiny.SHAPE), np.float32))


@pytest.mark.parametrize("what", ["random", "empty", "truncated", "missing", "another format"])
def test_what_is_no_artifact_is_refused_in_one_line(
    backend: Any, suffix: str, artifacts: Path, tmp_path: Path, what: str
) -> None:
    path = artifacts / f"{what}{suffix}"
    if what == "another format":
        other = next(one for one in SUFFIXES.values() if one != suffix)
        path = tmp_path / f"disguised{suffix}"
        path.write_bytes((artifacts / f"fixed{other}").read_bytes())
    with pytest.raises(ArtifactError) as caught, backend.open_session(path, "cpu", 1):
        pass
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_ran_is_told_or_not_known(backend: Any, artifacts: Path) -> None:
    if not hasattr(backend, "execution"):  # optional by the contract: browsers and emulators tell nothing
        pytest.skip("its runtime does not tell")
    for format in sorted(backend.FORMATS):
        path = artifacts / f"fixed{SUFFIXES[format]}"
        for device in devices_that_open(backend, path):
            ran = backend.execution(path, device)
            if ran is None:
                assert device != "cpu"
                continue
            # ONNX Runtime fills channels up to multiples of 8 or 16 for its blocked kernels of floats.
            assert sum(each.macs for each in ran) >= work_of(path).float_macs > 0
            assert not any(each.integer for each in ran)
            assert all(each.op and each.precision and each.by for each in ran)


def test_what_it_does_not_open_has_no_execution(backend: Any, suffix: str, tmp_path: Path) -> None:
    if not hasattr(backend, "execution"):  # optional by the contract: browsers and emulators tell nothing
        pytest.skip("its runtime does not tell")
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(b"no model")
    with pytest.raises(ArtifactError):
        backend.execution(path, "cpu")
    with pytest.raises(DeviceUnavailable):
        backend.execution(path, "abacus")
