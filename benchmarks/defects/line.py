"""How much a defect matters, measured without the command under test: a defective file against the
good one it was made of, on the same images and the same runtime.

A defect is above the line where the top-1 of at least 0.3 % of the images changes, or the logits are further
off than `LEAST_DB`, or are not finite. A file that does not take the images of the good one is above it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ResnetEdgeError, WorkerFailed
from resnet_edge.core.head import Head
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.evaluation.sums import measure
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess

CHANGED = 0.003
"""Share of images."""
LEAST_DB = {"fp32": 80.0, "fp16": 40.0, "dynamic": 25.0, "int16x8": 25.0, "int8": 15.0}
"""SQNR of the logits against those of the good file."""
BACKENDS = {"tflite": "litert", "onnx": "onnxruntime"}


@dataclass(frozen=True)
class Line:
    """`changed`: the share of images with another top-1; `sqnr_db` of the logits, None where one is not
    finite; `refused` is what the runtime says of a file that it does not open or run."""

    changed: float
    sqnr_db: float | None
    above: bool
    refused: str = ""


class Runner:
    """Outputs of files, from workers of which a runtime may take one down."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._count = folder, workers
        folder.mkdir(parents=True, exist_ok=True)

    def outputs(self, jobs: Sequence[tuple[Path, Path]]) -> list[NDArray[np.float32] | str]:
        """For files with images (.npy) the logits, or why there are none."""
        free: SimpleQueue[WorkerProcess] = SimpleQueue()
        for number in range(self._count):
            free.put(self._worker(number))

        def run(job: tuple[Path, Path]) -> NDArray[np.float32] | str:
            worker = free.get()
            try:
                return self._outputs(worker, *job)
            except WorkerFailed as error:  # it died: the next file gets a new one
                worker.close()
                worker = self._worker(id(worker))
                return str(error)
            except ResnetEdgeError as error:
                return str(error)
            finally:
                free.put(worker)

        with ThreadPoolExecutor(self._count) as pool:
            outputs = list(pool.map(run, jobs))
        for _ in range(self._count):
            free.get().close()
        return outputs

    def _worker(self, number: int) -> WorkerProcess:
        grant = Grant(writes=(str(self._folder),))
        return WorkerProcess("a runtime", self._folder / f"runtime{number}.log", grant=grant)

    def _outputs(self, worker: WorkerProcess, file: Path, images: Path) -> NDArray[np.float32]:
        out, format = self._folder / f"{file.name}.npy", file.suffix[1:]
        request = Predict(
            path=str(file),
            format=format,
            backend=BACKENDS[format],
            device="cpu",
            threads=1,
            images=str(images),
            out=str(out),
        )
        worker.run(request)
        outputs: NDArray[np.float32] = np.load(out)
        out.unlink()
        return outputs


def line(good: NDArray[np.float32], defective: NDArray[np.float32] | str, scheme: str) -> Line:
    """Where the defective outputs lie."""
    if isinstance(defective, str):
        return Line(0.0, None, False, defective)
    changed = float(np.mean(good.argmax(axis=1) != defective.argmax(axis=1)))
    if not np.isfinite(defective).all():
        return Line(changed, None, True)
    sums = measure(good, defective, Head.of_outputs(good.shape[1], "logits"))
    decibels = sqnr_db(sums.signal, sums.noise)
    least = LEAST_DB[scheme]
    return Line(changed, decibels, changed >= CHANGED or decibels < least)


def misfit() -> Line:
    """Of a file that does not take these images: no answer is right."""
    return Line(1.0, None, True)
