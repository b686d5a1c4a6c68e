from __future__ import annotations

import numpy as np
import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.results.golden_vectors import GoldenRun
from resnet_edge.golden.tolerances import allowed, gate_of, near_ties, quantization_step, tolerances

HEAD = Head.of_classes(10, "logits")

RANDOM = np.random.default_rng(5)
GRID = (RANDOM.integers(-128, 128, (200, 10)) * np.float32(0.15677)).astype(np.float32)
REAL = RANDOM.normal(size=(200, 10)).astype(np.float32)


def test_the_step_of_quantized_outputs_is_found() -> None:
    (step,) = quantization_step("int8", GRID) or (0.0,)
    assert step == pytest.approx(0.15677, rel=1e-5)


@pytest.mark.parametrize(("scheme", "outputs"), [("int8", REAL), ("fp32", GRID), ("int8", GRID * 0)])
def test_no_step_is_made_up(scheme: str, outputs: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    assert quantization_step(scheme, outputs) is None


def test_a_backend_is_held_against_itself_more_closely_than_another() -> None:
    runs = [GoldenRun("litert", "cpu"), GoldenRun("litert_reference", "cpu")]
    limits = tolerances("int8", HEAD, (0.15677,), runs, [GRID[:8], GRID[:8]], 20.0, "; here: little")
    by_place = {(limit.backend, limit.device): limit for limit in limits}
    assert by_place["litert", "cpu"].steps == 1
    assert by_place["tflite_micro", "cpu"].expected == by_place["litert_reference", "cpu"].expected == 1
    assert (by_place["", "cpu"].steps, by_place["", "cpu"].expected) == (8, 0)
    assert by_place["", "cpu"].reason.endswith("; here: little")
    assert limits[-1].backend == limits[-1].device == ""


def test_near_ties_are_those_that_the_tolerance_can_turn() -> None:
    expected = np.array([[0, 1.0, 0.99999], [0, 1, 0.9]], np.float32)
    on_cpu = tolerances("fp32", HEAD, None, [GoldenRun("litert", "cpu")], [expected], 1.0)[0]
    on_any = tolerances("fp32", HEAD, None, [GoldenRun("litert", "cpu")], [expected], 3.0)[-1]
    assert on_cpu.near_ties == (0,)
    assert on_any.near_ties == (0, 1)


@pytest.mark.parametrize(
    ("scheme", "share"), [("fp32", 1e-5), ("fp16", 1e-5), ("dynamic", 2e-2), ("int16x8", 2.6e-2), ("", 2e-2)]
)
def test_every_scheme_has_its_gate(scheme: str, share: float) -> None:
    gate = gate_of(scheme, None, "cpu")
    assert allowed(gate, None, 10.0) == pytest.approx(10 * share)
    assert gate_of(scheme, None, "cpu", "litert").share <= share
    assert gate_of(scheme, None, "gpu", "litert").share >= share


def test_a_label_near_its_threshold_is_a_near_tie_and_an_embedding_has_none() -> None:
    expected = np.asarray([[0.5 + 1e-6, 0.9], [0.7, 0.9], [0.1, 0.8 - 1e-6]], np.float32)
    head = Head.multilabel(2, "probabilities", (0.5, 0.8))
    assert near_ties(head, expected, 1e-5) == (0, 2)
    assert near_ties(Head.embedding(2), expected, 1.0) == ()
