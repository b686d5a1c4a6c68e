"""Tests of inspection.probe with backends made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.inspection.doctor import ProbeBackend
from resnet_edge.inspection.probe import FOLDER, probe
from resnet_edge.workers.progress import silent


def backend(answer: Any, formats: frozenset[str] = frozenset({"onnx"})) -> ModuleType:
    """A backend whose session gives `answer`, or whose opening raises it."""
    module = ModuleType("made")

    @contextmanager
    def open_session(path: Path, device: str, threads: int) -> Iterator[SimpleNamespace]:
        if isinstance(answer, Exception):
            raise answer
        yield SimpleNamespace(device=f"{device}:0", run=lambda images: np.array([answer], np.float32))

    vars(module).update(
        FORMATS=formats, DEVICES=frozenset({"cpu"}), version=lambda: "1.0", open_session=open_session
    )
    return module


@pytest.mark.parametrize(
    ("module", "status", "detail"),
    [
        (backend(np.loadtxt(FOLDER / "probe.txt")), "opens", ""),
        (backend([0.5, 0.5]), "broken", "it gives [0.5, 0.5] where"),
        (backend([float("nan")] * 2), "broken", "it gives [nan, nan] where"),
        (backend(DeviceUnavailable("no GPU here")), "not here", "no GPU here"),
        (backend(ArtifactError("cannot read")), "broken", "cannot read"),
        (backend([0.0, 0.0], frozenset({"gguf"})), "broken", "no probe in gguf"),
    ],
)
def test_a_backend_opens_only_where_it_gives_the_known_answer(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, status: str, detail: str
) -> None:
    monkeypatch.setattr(registry, "load", lambda room, name: module)
    state = probe(ProbeBackend(backend="made"), silent)
    assert (state.backend, state.version) == ("made", "1.0")
    assert state.devices[0].status == status
    assert detail in state.devices[0].detail
    assert state.devices[0].device == ("cpu:0" if status == "opens" else "cpu")
    if status == "opens":
        assert state.devices[0].logits == tuple(np.loadtxt(FOLDER / "probe.txt").tolist())
        assert state.devices[0].first_ms is not None
