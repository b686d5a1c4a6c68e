"""Tests of core.sidecar."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_edge.core.errors import ModelError
from resnet_edge.core.sidecar import (
    Sidecar,
    State,
    Step,
    StepLatency,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text()), text=st.text(), number=st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_is_read(tmp_path: Path, names: list[str], text: str, number: float) -> None:
    state = State("0" * 64, 10, None, 20, 15, number, 5, text)
    latency = StepLatency("tflite", "int8", "litert", "cpu", 1, 2.0, 1.0, number, (0.4, 0.6))
    step = Step("prune", text, text, "0", state, state, (latency,), {"history": [{"loss": number}]})
    sidecar = Sidecar(tuple(names), (step,))
    write_sidecar(tmp_path / "net.keras", sidecar)
    assert read_sidecar(tmp_path / "net.keras") == sidecar


def test_it_stands_beside_the_model(tmp_path: Path) -> None:
    assert sidecar_path(tmp_path / "my.net.keras") == tmp_path / "my.net.json"


def test_a_model_without_one_has_an_empty_one(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "net.keras") == Sidecar()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"class_names": 3}', b"\xff\xfe", b'{"steps": ["train"]}']
)
def test_a_damaged_one_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.json is damaged .*: mend or remove it"):
        read_sidecar(tmp_path / "net.keras")
