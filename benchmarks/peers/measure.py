"""Accuracy and latency of files on their runtimes, for peers.py. All sessions are open in one process
and take turns, one thread each, under the clock of `resnet-edge convert`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.peers.contenders import LITERT, ORT, PLAIN
from resnet_edge.backends import Session, litert, onnxruntime, openvino
from resnet_edge.benchmarking.rounds import Runner, interleave, warm_up
from resnet_edge.core import statistics
from resnet_edge.core.head import Head
from resnet_edge.core.machine import busy_seconds
from resnet_edge.core.tensors import dequantize
from resnet_edge.evaluation.compare import compare
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.predict import stored
from resnet_edge.workers.progress import silent


@dataclass(frozen=True)
class Comparator:
    """What outputs are compared with: images, the answers of Keras (.npy) and labels (.npy, or none)."""

    images: NDArray[np.uint8]
    reference: Path
    labels: Path | None
    folder: Path


@contextmanager
def opened(path: Path, runtime: str) -> Iterator[Session]:
    """A session with one thread."""
    if runtime == PLAIN:
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        yield onnxruntime.OrtSession(path, session, "cpu")
        return
    backend: Any = {LITERT: litert, ORT: onnxruntime}.get(runtime, openvino)
    with backend.open_session(path, "cpu", 1) as session:
        yield session


def accuracy(path: Path, runtime: str, judge: Comparator) -> dict[str, Any]:
    """Top-1, agreement with Keras and SQNR of the logits."""
    candidate = judge.folder / "outputs.npy"
    with opened(path, runtime) as session:
        outputs = [
            dequantize(session.run(stored(image[None], session.input)), session.output)[0].copy()
            for image in judge.images
        ]
    np.save(candidate, np.array(outputs, np.float32))
    request = CompareOutputs(
        artifact=path.name,
        backend=runtime,
        device="cpu",
        scheme="",
        head=Head.of_outputs(outputs[0].shape[-1], "logits"),
        reference=str(judge.reference),
        candidate=str(candidate),
        labels=str(judge.labels) if judge.labels else None,
        max_drop_pp=0.5,
        min_sqnr_db=0.0,
    )
    parity = compare(request, silent).parity
    return {
        "top1": parity.top1,
        "drop_pp": parity.drop_pp,
        "drop_ci95_pp": parity.drop_ci95_pp,
        "agreement": parity.agreement,
        "sqnr_db": parity.sqnr_db,
    }


class Clocked:
    """A session that notes the processor time of each call, too. Of one thread it is the latency on a
    quiet machine: the time that other processes take is in the latency, and not in it."""

    def __init__(self, session: Session) -> None:
        self.session, self.run = session, session.run
        self.input, self.output, self.device = session.input, session.output, session.device
        self.cpu_ms: list[float] = []

    def timed(self, image: NDArray[Any], calls: int) -> list[float]:
        """Milliseconds of each call, as benchmarking.rounds asks for them."""
        times = []
        for _ in range(calls):
            began, spent = time.perf_counter_ns(), time.process_time_ns()
            self.run(image)
            spent, ended = time.process_time_ns() - spent, time.perf_counter_ns()
            times.append((ended - began) / 1e6)
            self.cpu_ms.append(spent / 1e6)
        return times


def latencies(
    files: list[tuple[Path, str]], image: NDArray[np.uint8], seconds: float
) -> tuple[list[dict[str, Any] | str], float | None]:
    """For each file on its runtime: p50 of blocking calls, of their processor time, and the ratio of
    that, round by round, to the lowest. A string is why there is none. And how many cores others kept
    busy meanwhile."""
    failed: dict[int, str] = {}
    with ExitStack() as sessions:
        runners: dict[int, Runner] = {}
        for number, (path, runtime) in enumerate(files):
            try:
                session = Clocked(sessions.enter_context(opened(path, runtime)))
                fed = stored(image[None], session.input)
                runners[number] = Runner(session, fed, warm_up(session, fed))
            except Exception as error:  # of any runtime: it becomes a row
                failed[number] = first_line(error)
        before = _clocks()
        times, broken = interleave(runners, None, seconds, 0, silent)
        others = _others(before, _clocks())
    failed |= {number: first_line(error) for number, error in broken.items()}
    spent = {number: _processor(runners[number].session, rows) for number, rows in times.items()}
    best = min(spent, key=lambda number: float(np.median(spent[number])), default=0)
    rows = [
        failed[number] if number in failed else _row(times[number], spent[number], spent[best])
        for number in range(len(files))
    ]
    return rows, others


def _processor(session: Any, times: NDArray[Any]) -> NDArray[np.float64]:
    """Processor milliseconds, one median a round: the last calls, since those before warmed up."""
    last: NDArray[np.float64] = np.array(session.cpu_ms[-times.size :]).reshape(times.shape)
    medians: NDArray[np.float64] = np.median(last, axis=1)
    return medians


def _clocks() -> tuple[float, float | None, float]:
    return time.monotonic(), busy_seconds(), time.process_time()


def _others(
    before: tuple[float, float | None, float], after: tuple[float, float | None, float]
) -> float | None:
    if before[1] is None or after[1] is None:
        return None
    return max(0.0, after[1] - before[1] - (after[2] - before[2])) / (after[0] - before[0])


def _row(times: NDArray[Any], spent: NDArray[Any], best: NDArray[Any]) -> dict[str, Any]:
    ratio, interval = statistics.paired_ratio(spent, best)
    return {
        "p50_ms": float(np.median(times)),
        "p50_ci95_ms": statistics.median_interval(times),
        "cpu_ms": float(np.median(spent)),
        "round_cpu_ms": spent.tolist(),
        "times_best": ratio,
        "times_best_ci95": interval,
    }


def first_line(error: BaseException) -> str:
    """The message of an error, short enough for a table."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:200]
