"""The gap between a model and an artifact, split into steps whose drops sum up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.diagnosis.as_written import as_written
from resnet_edge.diagnosis.attribution import attribute, fed
from resnet_edge.diagnosis.attribution_task import AttributeGap, FeedImages
from resnet_edge.formats.tflite import describe
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.workers.progress import silent
from tests.backends import tiny

N = 60
HEAD = Head.of_classes(tiny.CLASSES, "logits")
IMAGES = tiny.pixels(N, 5)
TRUTH = tiny.logits(IMAGES).astype(np.float32)
LABELS = np.where(np.arange(N) % 5 == 0, (TRUTH.argmax(1) + 1) % tiny.CLASSES, TRUTH.argmax(1))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.write_all(tmp_path_factory.mktemp("artifacts"))
    np.save(folder / "images.npy", IMAGES)
    np.save(folder / "labels.npy", LABELS)
    np.save(folder / "reference.npy", TRUTH)
    return folder


def request_for(files: Path, file: str, outputs: NDArray[Any]) -> AttributeGap:
    np.save(files / "outputs.npy", outputs.astype(np.float32))
    (entry,), (end,) = describe(files / file)
    return AttributeGap(
        file=file,
        path=str(files / file),
        scheme="int8" if "int8" in file else "fp32",
        backend="litert",
        device="cpu",
        input=entry,
        output=end,
        head=HEAD,
        portable=str(files / "fixed.tflite"),
        images=str(files / "images.npy"),
        labels=str(files / "labels.npy"),
        reference=str(files / "reference.npy"),
        unpruned=None,
        outputs=str(files / "outputs.npy"),
        n=N,
        fed=None,
        on_fed=None,
        preprocessing=None,
        rounds="int8" in file,
    )


def split(request: AttributeGap) -> Attribution:
    return attribute(request, silent).attribution


def shares(attribution: Attribution) -> dict[str, float]:
    return {share.cause: share.changed for share in attribution.shares}


def test_nothing_is_lost_by_the_file_itself(files: Path) -> None:
    attribution = split(request_for(files, "fixed.tflite", TRUTH))
    assert shares(attribution) == dict.fromkeys(("preprocessing", "conversion", "kernels"), 0)
    assert attribution.n == N
    for share in (*attribution.shares, attribution.whole):
        assert share.drop_pp == 0
        assert share.drop_ci95_pp is not None
        assert share.drop_ci95_pp[0] < 0 < share.drop_ci95_pp[1]
        assert share.sqnr_db is not None
        assert share.sqnr_db > 100


def test_what_the_backend_does_is_the_kernels(files: Path) -> None:
    """A backend that swaps two classes."""
    attribution = split(request_for(files, "fixed.tflite", TRUTH[:, [1, 0, 2, 3, 4]]))
    by_cause = shares(attribution)
    assert by_cause.pop("kernels") == attribution.whole.changed > 0
    assert set(by_cause.values()) == {0}


def test_an_embedding_that_moved_as_a_whole_is_lost_where_it_moved(files: Path) -> None:
    """Among themselves all neighbours stay; among the reference's they are others."""
    swapped = request_for(files, "fixed.tflite", TRUTH[:, [1, 0, 2, 3, 4]])
    attribution = split(replace(swapped, head=Head.embedding(tiny.CLASSES)))
    by_cause = shares(attribution)
    assert by_cause.pop("kernels") == attribution.whole.changed > 0.2
    assert set(by_cause.values()) == {0}


def test_what_rounding_does_is_quantization(files: Path) -> None:
    request = request_for(files, "int8.tflite", TRUTH)
    attribution = split(request)
    by_cause = {share.cause: share for share in attribution.shares}
    assert by_cause["quantization"].sqnr_db is not None
    assert 10 < by_cause["quantization"].sqnr_db < 60
    assert by_cause["conversion"].changed == 0


def test_where_nothing_is_rounded_a_file_that_departs_was_written_so(files: Path, tmp_path: Path) -> None:
    """A float file with other weights than the model's graph."""
    model = load_model(files / "fixed.tflite")
    held = model.buffers[
        next(t.buffer for t in model.subgraphs[0].tensors if len(t.shape) == 4 and has(model, t))
    ]
    held.data = np.roll(np.frombuffer(np.asarray(held.data, np.uint8).tobytes(), np.float32), 1).view(
        np.uint8
    )
    save_model(model, files / "other.tflite")
    run = as_written(files / "other.tflite", describe(files / "other.tflite")[0][0])
    outputs = np.concatenate([run(image[None].astype(np.float32)) for image in IMAGES])
    sqnr = {one.cause: one.sqnr_db or 0 for one in split(request_for(files, "other.tflite", outputs)).shares}
    assert [*sqnr] == ["preprocessing", "conversion", "kernels"]
    assert sqnr["conversion"] < 60 < 100 < min(sqnr["preprocessing"], sqnr["kernels"])


def has(model: Any, tensor: Any) -> bool:
    """Whether a tensor is a constant."""
    return model.buffers[tensor.buffer].data is not None


def test_pruning_comes_first(files: Path, tmp_path: Path) -> None:
    """A model before pruning that was right everywhere."""
    right = np.eye(tiny.CLASSES, dtype=np.float32)[LABELS]
    np.save(tmp_path / "unpruned.npy", right)
    request = request_for(files, "fixed.tflite", TRUTH)
    attribution = split(replace(request, unpruned=str(tmp_path / "unpruned.npy")))
    assert attribution.shares[0].cause == "pruning"
    assert attribution.shares[0].drop_pp == attribution.whole.drop_pp == 20
    assert attribution.whole.drop_ci95_pp is not None
    assert attribution.whole.drop_ci95_pp[0] > 0


def test_drops_sum_up_whatever_happens(files: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    np.save(tmp_path / "unpruned.npy", random.normal(size=TRUTH.shape).astype(np.float32))
    request = request_for(files, "int8.tflite", random.normal(size=TRUTH.shape))
    attribution = split(replace(request, unpruned=str(tmp_path / "unpruned.npy")))
    total = sum(share.drop_pp or 0 for share in attribution.shares)
    assert attribution.whole.drop_pp == pytest.approx(total)
    assert attribution.whole.drop_pp != 0


def test_pixels_that_the_input_rounds_are_preprocessing(files: Path, tmp_path: Path) -> None:
    """An input with steps of 255: what the model gives on such pixels is the step's end."""
    spec = TensorSpec("image", (1, *tiny.SHAPE), "uint8", Quantization((255.0,), (0,)))
    seen = fed(
        FeedImages(
            images=str(files / "images.npy"),
            n=N,
            input=spec,
            preprocessing=None,
            out=str(tmp_path / "fed.npy"),
        ),
        silent,
    )
    assert seen.changed
    coarse = np.load(seen.out)
    assert set(np.unique(coarse)) <= {0, 255}
    assert np.abs(coarse - IMAGES).max() <= 128
    np.save(tmp_path / "on_fed.npy", tiny.logits(coarse).astype(np.float32))
    request = replace(
        request_for(files, "fixed.tflite", tiny.logits(coarse)),
        fed=seen.out,
        on_fed=str(tmp_path / "on_fed.npy"),
    )
    sqnr = {share.cause: share.sqnr_db or 0 for share in split(request).shares}
    assert sqnr.pop("preprocessing") < 30
    assert min(sqnr.values()) > 100
    merged = split(replace(request, on_fed=None))
    assert "preprocessing" not in shares(merged)
    assert merged.remarks


@pytest.mark.parametrize("name", ["unit", "imagenet", "caffe"])
def test_pixels_come_back_from_a_preprocessing(name: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (9, 4, 4, 3)).astype(np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    spec = TensorSpec("image", (1, 4, 4, 3), "float32", None)
    request = FeedImages(
        images=str(tmp_path / "images.npy"),
        n=9,
        input=spec,
        preprocessing=PRESETS[name],
        out=str(tmp_path / "fed.npy"),
    )
    seen = fed(request, silent)
    assert not seen.changed
    np.testing.assert_allclose(np.load(seen.out), pixels, atol=1e-3)


def test_what_draws_numbers_by_chance_is_not_split(files: Path) -> None:
    """A dropout that was left on: two runs differ, and neither the kernels nor rounding are why."""
    model = onnx.load(files / "fixed.onnx")
    output = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["before" if name == output else name for name in node.output]
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(0.5, np.float32), "ratio"),
            numpy_helper.from_array(np.array(True), "on"),
        ]
    )
    model.graph.node.append(onnx.helper.make_node("Dropout", ["before", "ratio", "on"], [output]))
    onnx.save(model, files / "by_chance.onnx")
    request = replace(
        request_for(files, "fixed.tflite", TRUTH), path=str(files / "by_chance.onnx"), file="by_chance.onnx"
    )
    with pytest.raises(ArtifactError, match="draws numbers by chance"):
        split(request)
