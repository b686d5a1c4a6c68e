from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import litert, litert_reference
from resnet_edge.core.errors import DeviceUnavailable, WorkerFailed
from resnet_edge.core.tensors import quantize
from resnet_edge.evaluation.predict_task import Predict, PredictResult
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess
from tests.backends import quantized, tiny


def outputs(module: ModuleType, path: Path, images: NDArray[Any]) -> NDArray[Any]:
    with module.open_session(path, "cpu", 1) as session:
        return np.concatenate([session.run(quantize(image[None], session.input)) for image in images])


def test_it_is_for_comparison_and_not_for_speed() -> None:
    assert litert_reference.FOR_PARITY_ONLY


def test_its_kernels_are_not_those_of_litert(artifacts: Path) -> None:
    """They round in two steps where XNNPACK rounds once (tensorflow/tensorflow#50290)."""
    images = tiny.pixels(50)
    ours, theirs = (outputs(m, artifacts / "int8.tflite", images) for m in (litert_reference, litert))
    apart = np.abs(ours.astype(int) - theirs)
    assert 0 < apart.max() <= 2


def test_gpu_is_refused_with_its_reason(artifacts: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match="'gpu' .*reference kernels.*choose from: cpu"),
        litert_reference.open_session(artifacts / "fixed.tflite", "gpu", 1),
    ):
        pass


def test_an_abort_of_the_kernels_is_one_line(tmp_path: Path) -> None:
    """An int8 softmax over 1000 scores that are almost the same; XNNPACK computes it."""
    path, images = tmp_path / "flat.tflite", tmp_path / "images.npy"
    quantized.write_flat(path)
    np.save(images, np.ones((1, *tiny.SHAPE), np.float32))
    with WorkerProcess("proof", tmp_path / "proof.log", grant=Grant(writes=(str(tmp_path),))) as worker:
        for backend in ("litert", "litert_reference"):
            request = Predict(
                path=str(path),
                format="tflite",
                backend=backend,
                device="cpu",
                threads=1,
                images=str(images),
                out=str(tmp_path / "out.npy"),
            )
            function = "resnet_edge.evaluation.predict:predict"
            if backend == "litert":
                assert worker.call(function, request, PredictResult).classes == 1000
                continue
            with pytest.raises(WorkerFailed, match=r"^proof was ended by SIGABRT .*flat\.tflite") as caught:
                worker.call(function, request, PredictResult)
    assert "\n" not in str(caught.value)
