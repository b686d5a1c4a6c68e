"""The worker's half of the latency of a step: two artifacts, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.benchmarking import latency
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.compression.pair_latency import measure
from resnet_edge.compression.step_latency import TimePair
from resnet_edge.core.errors import (
    ArtifactError,
)
from resnet_edge.evaluation.predict import load_backend
from resnet_edge.workers.progress import silent
from tests.backends import tiny


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.write_all(tmp_path_factory.mktemp("artifacts"))
    np.save(folder / "images.npy", tiny.pixels(2))
    return folder


def pair(artifacts: Path, before: str, after: str) -> TimePair:
    targets = [
        LatencyTarget(
            path=str(artifacts / file),
            file=which,
            format="tflite",
            scheme="fp32",
            backend="litert",
            device="cpu",
        )
        for which, file in (("before", before), ("after", after))
    ]
    return TimePair(
        before=targets[0],
        after=targets[1],
        images=str(artifacts / "images.npy"),
        threads=1,
        rounds=6,
        budget_seconds=0.2,
    )


class Recorded:
    """A real session that writes down its turns."""

    def __init__(self, session: Any, name: str, turns: list[str]) -> None:
        self.input, self.output, self.device = session.input, session.output, session.device
        self._session, self._name, self._turns = session, name, turns

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        self._turns.append(self._name)
        outputs: NDArray[Any] = self._session.run(images)
        return outputs


def test_both_take_turns_in_every_round(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []

    class Recording:
        def __init__(self, *names: str) -> None:
            self._backend = load_backend(*names)

        @contextmanager
        def open_session(self, path: Path, device: str, threads: int) -> Iterator[Recorded]:
            with self._backend.open_session(path, device, threads) as session:
                yield Recorded(session, path.stem, turns)

    monkeypatch.setattr(latency, "load_backend", Recording)
    row = measure(pair(artifacts, "fixed.tflite", "int8.tflite"), silent)
    blocks = [name for i, name in enumerate(turns) if i == 0 or turns[i - 1] != name]
    assert blocks[:2] == ["fixed", "int8"]  # warm-up: both are open before the first round
    # Six rounds of one block each; two blocks of one model that meet between rounds look like one.
    assert 6 <= len(blocks[2:]) <= 12
    for name in ("fixed", "int8"):
        assert 3 <= blocks[2:].count(name) <= 6
    assert row.before_ms > 0


def test_the_ratio_is_after_over_before(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resnet_edge.compression import pair_latency

    def timed(runners: Any, *_: Any) -> tuple[dict[int, NDArray[np.float64]], dict[int, Any]]:
        assert sorted(runners) == [0, 1]
        before = np.array([[4.0, 4.0], [8.0, 8.0], [4.0, 4.0]])  # the machine was slow for one round
        return {0: before, 1: before / 2}, {}

    monkeypatch.setattr(pair_latency, "interleave", timed)
    row = measure(pair(artifacts, "fixed.tflite", "int8.tflite"), silent)
    assert (row.before_ms, row.after_ms, row.ratio, row.ratio_ci95) == (4.0, 2.0, 0.5, (0.5, 0.5))


def test_an_artifact_that_does_not_open_is_an_error(artifacts: Path) -> None:
    with pytest.raises(ArtifactError):
        measure(pair(artifacts, "fixed.tflite", "random.tflite"), silent)
