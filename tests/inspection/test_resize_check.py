from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from resnet_edge.core.errors import ArtifactError, DataError, UnknownName
from resnet_edge.core.proportion import paired_drop
from resnet_edge.data import folder
from resnet_edge.data.platforms import PLATFORMS, UNKNOWN
from resnet_edge.inspection.resize_check import ASSUMED, GREY, resize_check
from resnet_edge.inspection.resize_check_task import CheckResize
from resnet_edge.workers.progress import Progress, silent
from tests.backends import tiny
from tests.data.photos import noise

MATRIX = np.random.default_rng(4).normal(0, 1, (64, tiny.CLASSES)).astype(np.float32)


def logits(images: NDArray[Any]) -> NDArray[np.float32]:
    """What linear.onnx gives: every pixel by itself counts, and so every resize shows in the answers."""
    return (images.reshape(len(images), 64).astype(np.float32) - 127) @ MATRIX


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tiny.write_all(tmp_path_factory.mktemp("artifacts"))
    write_linear(place / "linear.onnx")
    return place


def write_linear(path: Path) -> None:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Sub", ["flat", "grey"], ["centred"]),
        helper.make_node("MatMul", ["centred", "matrix"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, *tiny.SHAPE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, tiny.CLASSES])],
        [
            numpy_helper.from_array(MATRIX, "matrix"),
            numpy_helper.from_array(np.array([127], np.float32), "grey"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))


@pytest.fixture(scope="module")
def photos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 photos of 40 x 24 in five folders: coarse noise under fine."""
    place = tmp_path_factory.mktemp("photos")
    for number in range(60):
        coarse = Image.fromarray(noise(6, 10, number)).resize((40, 24), Image.Resampling.BICUBIC)
        photo = 0.6 * np.asarray(coarse) + 0.4 * noise(24, 40, 100 + number)
        (place / str(number % 5)).mkdir(exist_ok=True)
        Image.fromarray(photo.astype(np.uint8)).save(place / str(number % 5) / f"{number:02d}.png")
    return place


def request_for(artifact: Path, data: Path | str) -> CheckResize:
    backend = {"tflite": "litert", "onnx": "onnxruntime"}[artifact.suffix[1:]]
    return CheckResize(
        path=str(artifact), format=artifact.suffix[1:], backend=backend, data=str(data), takes_pixels=True
    )


def test_every_figure_is_that_of_the_plain_way(artifacts: Path, photos_folder: Path) -> None:
    check = resize_check(request_for(artifacts / "linear.onnx", photos_folder), silent)
    photos = folder.load(photos_folder, (*tiny.SHAPE[:2], 3))
    assert photos.labels is not None
    whole = [np.asarray(Image.open(path)) for path in sorted(photos_folder.glob("*/*.png"))]
    ours = folder.load(photos_folder, tiny.SHAPE).images[:]
    right = logits(ours).argmax(1)
    assert (check.n, check.resized, check.unknown) == (60, 60, UNKNOWN)
    assert check.top1 == pytest.approx((right == photos.labels).mean())
    for platform, row in zip(PLATFORMS, check.rows, strict=True):
        theirs = np.stack([grey(platform.resize(photo, 8, 8)) for photo in whole])
        answers = logits(theirs).argmax(1)
        lost = int(((right == photos.labels) & (answers != photos.labels)).sum())
        gained = int(((right != photos.labels) & (answers == photos.labels)).sum())
        difference = np.abs(theirs.astype(int) - ours)
        assert row.platform == platform.name
        assert (row.changed, row.lost, row.gained) == (int((answers != right).sum()), lost, gained)
        assert row.mean_abs == pytest.approx(difference.mean())
        assert row.max_abs == difference.max()
        assert row.change_pp == pytest.approx(100 * (gained - lost) / 60)
        low, high = paired_drop(60, lost, gained)
        assert row.change_ci95_pp == pytest.approx((-100 * high, -100 * low))
    assert check.rows[0].lost != check.rows[0].gained
    rows = {row.platform: row for row in check.rows}
    assert rows["pillow"].max_abs <= 1  # it makes grey of what it has rounded
    assert rows["mediapipe"].changed > 3 * rows["pillow"].changed
    assert GREY in check.notes


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def test_the_platform_that_does_as_the_contract_changes_nothing(artifacts: Path, photos_folder: Path) -> None:
    request = replace(request_for(artifacts / "fixed.onnx", photos_folder), resize="tensorflow")
    rows = {row.platform: row for row in resize_check(request, silent).rows}
    assert (rows["tensorflow"].changed, rows["tensorflow"].max_abs) == (0, 0)
    assert rows["pillow"].max_abs > 0


def test_a_crop_is_the_apps_but_mediapipe_takes_the_whole_photo(artifacts: Path, tmp_path: Path) -> None:
    framed = np.zeros((64, 96, 3), np.uint8)
    framed[4:60, 20:76] = 180  # what the crop keeps, and a black frame
    Image.fromarray(framed).save(tmp_path / "a.png")
    request = replace(request_for(artifacts / "fixed.onnx", tmp_path), resize="crop")
    rows = {row.platform: row.max_abs for row in resize_check(request, silent).rows}
    assert (rows["android"], rows["pillow"], rows["mediapipe"]) == (0, 0, 180)


def test_without_labels_there_is_no_accuracy(artifacts: Path, photos_folder: Path) -> None:
    check = resize_check(request_for(artifacts / "fixed.onnx", photos_folder / "0"), silent)
    assert check.top1 is None
    assert {(row.lost, row.change_pp, row.change_ci95_pp) for row in check.rows} == {(None, None, None)}


def test_classes_are_found_by_the_models_names(artifacts: Path, photos_folder: Path) -> None:
    request = request_for(artifacts / "linear.onnx", photos_folder)
    turned = replace(request, class_names=("1", "2", "3", "4", "0"))
    photos = folder.load(photos_folder, tiny.SHAPE)
    assert photos.labels is not None
    right = logits(photos.images[:]).argmax(1) == (photos.labels - 1) % 5
    assert resize_check(turned, silent).top1 == pytest.approx(right.mean())
    assert right.mean() != (logits(photos.images[:]).argmax(1) == photos.labels).mean()


def test_photos_of_the_models_size_have_nothing_to_warn_of(artifacts: Path, tmp_path: Path) -> None:
    Image.fromarray(tiny.pixels(1)[0, ..., 0]).save(tmp_path / "a.png")
    np.savez(tmp_path / "b.npz", images=tiny.pixels(7))
    for data, n in ((tmp_path, 1), (tmp_path / "b.npz", 7)):
        check = resize_check(request_for(artifacts / "fixed.tflite", data), silent)
        assert (check.n, check.resized, check.rows, check.unknown) == (n, 0, (), ())


def test_what_nothing_tells_is_told_to_be_assumed(artifacts: Path, photos_folder: Path) -> None:
    request = replace(request_for(artifacts / "fixed.onnx", photos_folder / "0"), takes_pixels=None)
    assert ASSUMED in resize_check(request, silent).notes
    assert ASSUMED not in resize_check(replace(request, takes_pixels=True), silent).notes
    quantized = replace(request, path=str(artifacts / "uint8.onnx"))
    assert ASSUMED not in resize_check(quantized, silent).notes


def test_a_model_that_does_not_take_pixels_is_refused(
    artifacts: Path, photos_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = request_for(artifacts / "fixed.onnx", photos_folder)
    with pytest.raises(ArtifactError, match="does not take raw pixels, 0 to 255.*--preprocess"):
        resize_check(replace(request, takes_pixels=False), silent)
    monkeypatch.setattr(tiny, "IN_SCALE", 1 / 255)
    tiny.write_onnx(tmp_path)
    with pytest.raises(ArtifactError, match="does not take raw pixels"):
        resize_check(request_for(tmp_path / "uint8.onnx", photos_folder), silent)


def test_bad_data_is_told(artifacts: Path, photos_folder: Path, tmp_path: Path) -> None:
    request = request_for(artifacts / "fixed.onnx", photos_folder)
    with pytest.raises(UnknownName, match="no resize is called"):
        resize_check(replace(request, resize="none"), silent)
    with pytest.raises(DataError, match="is no data"):
        resize_check(replace(request, data=str(tmp_path / "nowhere")), silent)
    with pytest.raises(DataError, match="holds no image"):
        resize_check(replace(request, data=str(tmp_path)), silent)
    np.savez(tmp_path / "b.npz", images=np.zeros((2, 9, 9, 1), np.uint8))
    with pytest.raises(DataError, match="resize them first"):
        resize_check(replace(request, data=str(tmp_path / "b.npz")), silent)
    for name in ("cat", "dog"):
        (tmp_path / "two" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "two" / name / "a.png")
    with pytest.raises(DataError, match="has 2 classes and the model 5"):
        resize_check(replace(request, data=str(tmp_path / "two")), silent)
    (tmp_path / "two" / "cat" / "b.jpg").write_bytes(b"no")
    with pytest.raises(DataError, match=r"b\.jpg does not decode"):
        resize_check(replace(request, data=str(tmp_path / "two" / "cat")), silent)


def test_progress_counts_photos(artifacts: Path, photos_folder: Path) -> None:
    progress: list[Progress] = []
    resize_check(request_for(artifacts / "fixed.onnx", photos_folder), progress.append)
    assert (progress[0].total, progress[-1].done) == (60, 60)
