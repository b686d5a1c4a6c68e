"""Tests that a fit on tf_keras is the fit that Keras 3 makes: one recipe, one meaning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with tfmot_worker("fit", tmp_path_factory.mktemp("log") / "fit.log", grant) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("teacher", [False, True])
def test_both_frameworks_fit_alike(worker: WorkerProcess, tmp_path: Path, teacher: bool) -> None:
    """Learning rate, momentum, decay of kernels only, loss, teacher, order of batches: all show."""
    request = {"folder": str(tmp_path), "teacher": teacher}
    results = worker.call("tests.compression.tfmot.probes:fitted_twice", request, dict)
    np.testing.assert_allclose(results["tf_keras"], results["keras"], rtol=2e-3, atol=2e-3)
    assert results["moved"] > 0.05
    assert results["apart"] < results["moved"] / 100
