from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import DataError, OutputError
from resnet_edge.golden.file import read_golden
from resnet_edge.golden.save import save
from resnet_edge.golden.task import MeasuredArtifact
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.golden import goldens


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return goldens.write(tmp_path_factory.mktemp("artifacts"), "onnx")


@pytest.fixture
def measured(artifacts: Path, tmp_path: Path) -> MeasuredArtifact:
    goldens.prepare(tmp_path)
    return goldens.measured(artifacts / "uint8.onnx", tmp_path)


def test_the_file_holds_the_outputs_of_its_images(measured: MeasuredArtifact, tmp_path: Path) -> None:
    saved = save(goldens.request(tmp_path, measured), silent)
    golden = read_golden(Path(saved.path))
    rows = list(golden.vectors.rows)
    assert (saved.images, saved.artifacts, saved.notes) == (12, 1, ())
    assert np.array_equal(golden.images, np.load(tmp_path / "images.npy")[rows])
    assert np.array_equal(golden.expected[0][0], np.load(measured.runs[0].outputs)[rows])
    assert golden.vectors.labels == tuple(np.load(tmp_path / "labels.npy")[rows].tolist())
    (artifact,) = golden.vectors.artifacts
    assert artifact.sha256 == sha256_of(Path(measured.path))
    assert artifact.step == pytest.approx((tiny.OUT_SCALE,))


def test_the_same_run_gives_the_same_bytes(measured: MeasuredArtifact, tmp_path: Path) -> None:
    request = goldens.request(tmp_path, measured)
    save(request, silent)
    first = Path(request.out).read_bytes()
    save(request, silent)
    assert Path(request.out).read_bytes() == first
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_outputs_that_say_nothing_are_left_out(
    measured: MeasuredArtifact, artifacts: Path, tmp_path: Path
) -> None:
    broken = goldens.measured(artifacts / "fixed.onnx", tmp_path)
    outputs = np.load(broken.runs[0].outputs)
    np.save(broken.runs[0].outputs, outputs * np.nan)
    saved = save(goldens.request(tmp_path, measured, broken), silent)
    assert saved.artifacts == 1
    [note] = saved.notes
    assert note.endswith("is left out: the artifact gives NaN or Inf on 60 of 60 images, first on image 0")
    with pytest.raises(DataError, match="nothing to save: fixed.onnx .* NaN"):
        save(goldens.request(tmp_path, broken), silent)


def test_a_difference_beyond_the_gate_is_told_and_widens_nothing(
    measured: MeasuredArtifact, tmp_path: Path
) -> None:
    far = replace(measured.runs[0], backend="openvino", outputs=str(tmp_path / "far.npy"))
    np.save(far.outputs, np.load(measured.runs[0].outputs) + np.float32(20 * tiny.OUT_SCALE))
    saved = save(goldens.request(tmp_path, replace(measured, runs=(measured.runs[0], far))), silent)
    (artifact,) = read_golden(Path(saved.path)).vectors.artifacts
    assert "openvino cpu is up to 1.25 from onnxruntime" in saved.notes[0]
    assert artifact.tolerance("other", "cpu").steps == 8
    assert "here, on 60 images: openvino cpu 1.2" in artifact.tolerance("other", "cpu").reason


@pytest.mark.parametrize("wrong", ["images", "labels", "reference", "outputs"])
def test_files_of_other_images_are_refused(measured: MeasuredArtifact, tmp_path: Path, wrong: str) -> None:
    path = Path(measured.runs[0].outputs) if wrong == "outputs" else tmp_path / f"{wrong}.npy"
    np.save(path, np.load(path)[:-1])
    with pytest.raises(DataError):
        save(goldens.request(tmp_path, measured), silent)


@pytest.mark.parametrize("count", [0, -1])
def test_no_image_is_no_golden_vector(measured: MeasuredArtifact, tmp_path: Path, count: int) -> None:
    with pytest.raises(DataError, match="no golden vectors"):
        save(goldens.request(tmp_path, measured, count=count), silent)


def test_nan_in_an_image_is_refused(measured: MeasuredArtifact, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.load(tmp_path / "images.npy").astype(np.float32) * np.nan)
    with pytest.raises(DataError, match="no finite number"):
        save(goldens.request(tmp_path, measured), silent)


def test_where_nothing_can_be_written_nothing_is_left(measured: MeasuredArtifact, tmp_path: Path) -> None:
    request = replace(goldens.request(tmp_path, measured), out=str(tmp_path / "none" / "golden.npz"))
    with pytest.raises(OutputError, match="cannot be written"):
        save(request, silent)
