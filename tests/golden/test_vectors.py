from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError, DataError, DeviceUnavailable, UnknownName
from resnet_edge.core.head import Head
from resnet_edge.golden.file import GoldenFile, read_golden
from resnet_edge.golden.save import save
from resnet_edge.golden.task import ReplayGoldenVectors, UnpackGoldenVectors
from resnet_edge.golden.vectors import judged, replay, unpack
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.golden import goldens

HEAD = Head.of_classes(10, "logits")

FILES = ("fixed.tflite", "int8.tflite", "fixed.onnx", "uint8.onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts, golden.npz of them, and golden.npy, its images."""
    folder = goldens.write(tmp_path_factory.mktemp("golden"), "tflite", "onnx")
    goldens.prepare(folder)
    save(goldens.request(folder, *(goldens.measured(folder / name, folder) for name in FILES)), silent)
    unpack(UnpackGoldenVectors(path=str(folder / "golden.npz"), images=str(folder / "golden.npy")), silent)
    return folder


def request(folder: Path, file: str, out: Path, backend: str = "") -> ReplayGoldenVectors:
    return ReplayGoldenVectors(
        golden=str(folder / "golden.npz"),
        artifact=FILES.index(file),
        path=str(folder / file),
        backend=backend or goldens.BACKENDS[file.rpartition(".")[2]],
        device="cpu",
        threads=1,
        images=str(folder / "golden.npy"),
        out=str(out / "outputs.npy"),
    )


@pytest.mark.parametrize("file", FILES)
def test_an_artifact_gives_what_it_gave(folder: Path, tmp_path: Path, file: str) -> None:
    row = replay(request(folder, file, tmp_path), silent)
    assert (row.verdict, row.reasons) == ("pass", ())
    assert (row.n, row.same_top1, row.max_abs) == (12, 12, 0)
    assert row.allowed_max_abs is not None
    assert row.allowed_max_abs > 0
    assert (row.steps is None) == (row.allowed_steps is None) == file.startswith("fixed")


@pytest.mark.parametrize("file", ["fixed.tflite", "int8.tflite"])
def test_another_runtime_has_its_own_tolerance(folder: Path, tmp_path: Path, file: str) -> None:
    row = replay(request(folder, file, tmp_path, "litert_reference"), silent)
    assert (row.verdict, row.reasons, row.n) == ("pass", (), 12)
    assert row.source.startswith("against litert cpu; ")
    assert row.allowed_steps in (None, 8)


def test_another_network_fails(folder: Path, tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)  # the network that gives one class
    task = replace(request(folder, "fixed.onnx", tmp_path), path=str(tmp_path / "fixed.onnx"))
    row = replay(task, silent)
    assert row.verdict == "fail"
    assert [word in " ".join(row.reasons) for word in ("may be", "top-1")] == [True] * 2


def test_images_of_another_size_fail(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((12, 9, 9, 1), np.uint8))
    task = replace(request(folder, "fixed.onnx", tmp_path), images=str(tmp_path / "images.npy"))
    row = replay(task, silent)
    assert (row.verdict, row.max_abs, row.same_top1) == ("fail", None, None)
    assert "the images are 9x9x1" in row.reasons[0]


def test_what_does_not_run_is_an_error(folder: Path, tmp_path: Path) -> None:
    task = request(folder, "fixed.onnx", tmp_path)
    with pytest.raises(UnknownName):
        replay(replace(task, backend="no_such"), silent)
    with pytest.raises(DeviceUnavailable):
        replay(replace(task, device="tpu"), silent)
    with pytest.raises(ArtifactError, match="litert opens tflite and not onnx"):
        replay(replace(task, backend="litert"), silent)
    with pytest.raises(DataError, match="cannot be read"):
        replay(replace(task, golden=str(tmp_path / "none.npz")), silent)


class TestJudged:
    @pytest.fixture
    def golden(self, folder: Path) -> GoldenFile:
        return read_golden(folder / "golden.npz")

    def verdict(
        self,
        folder: Path,
        golden: GoldenFile,
        file: str,
        change: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    ) -> tuple[str, str]:
        number = FILES.index(file)
        artifact, (expected, *_) = golden.vectors.artifacts[number], golden.expected[number]
        limit = artifact.tolerance(artifact.runs[0].backend, "cpu")
        row = judged(request(folder, file, folder), artifact, HEAD, limit, expected, change, "cpu")
        return row.verdict, " ".join(row.reasons)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_a_number_that_is_none_fails(self, folder: Path, golden: GoldenFile, bad: float) -> None:
        outputs = golden.expected[2][0].copy()
        outputs[3, 1] = bad
        assert self.verdict(folder, golden, "fixed.onnx", outputs) == (
            "fail",
            "it gives NaN or Inf on 1 of 12 images",
        )

    def test_a_wrong_shape_fails_and_so_does_nothing(self, folder: Path, golden: GoldenFile) -> None:
        expected = golden.expected[2][0]
        for outputs in (expected[:, :4], expected[:5], expected[:0]):
            assert self.verdict(folder, golden, "fixed.onnx", outputs)[0] == "fail"

    def test_a_step_more_than_allowed_fails(self, folder: Path, golden: GoldenFile) -> None:
        expected, step = golden.expected[3][0], np.float32(tiny.OUT_SCALE)
        assert self.verdict(folder, golden, "uint8.onnx", expected + 3 * step)[0] == "pass"
        verdict, why = self.verdict(folder, golden, "uint8.onnx", expected + 4 * step)
        assert (verdict, why) == ("fail", "outputs are up to 4 quantization steps off; 3 may be")

    def test_top1_may_change_on_near_ties_alone(self, folder: Path, golden: GoldenFile) -> None:
        limit = golden.vectors.artifacts[3].tolerance("onnxruntime", "cpu")
        expected = golden.expected[3][0]
        order = np.argsort(expected, axis=1)
        for row in range(len(expected)):
            outputs = expected.copy()
            outputs[row, order[row, -1]], outputs[row, order[row, -2]] = (
                expected[row, order[row, -2]],
                expected[row, order[row, -1]],
            )
            why = self.verdict(folder, golden, "uint8.onnx", outputs)[1]
            assert ("top-1" in why) == (
                row not in limit.near_ties and outputs[row].argmax() != order[row, -1]
            )
