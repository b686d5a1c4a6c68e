"""How far bundled files may be off: what is usual, whatever this run has measured."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.bundle.tolerances import BundledScores, behind_softmax, runtime_tolerances
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.head import Head, Output
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.evaluation.outputs import as_probabilities

STEP = 0.125
LOGITS = (np.random.default_rng(3).integers(-100, 100, (300, 10)) * np.float32(STEP)).astype(np.float32)
ROWS = [0, 7, 30]


def of(
    scheme: str, output: Output = "logits", wanted: Output = "logits", integer: bool = False
) -> BundledScores:
    """A file of LOGITS, or of their probabilities; `integer`: it gives int8."""
    grid = Quantization((STEP,), (0,), None) if integer else None
    shares = as_probabilities(LOGITS.astype(np.float64)).astype(np.float32)
    file = BundledFile(
        path=f"litert/x.{scheme}.tflite",
        profile="litert",
        format="tflite",
        scheme=scheme,
        size_bytes=7,
        sha256="aa",
        input=TensorSpec("image", (1, 8, 8, 3), "float32"),
        output=TensorSpec("scores", (1, 10), "int8" if integer else "float32", grid),
        scores=wanted,
        source=f"x.{scheme}.tflite",
        source_sha256="bb",
    )
    return BundledScores(
        file=file,
        head=Head.of_classes(10, output),
        artifact=LOGITS if output == "logits" else shares,
        expected=LOGITS if wanted == "logits" else shares,
    )


def allowed(scores: BundledScores, **measured: float) -> dict[str, float]:
    rows, _ = runtime_tolerances(scores, ROWS, measured or {"litert": 0.0})
    return {row.runtime: row.max_abs for row in rows}


@pytest.mark.parametrize("scheme", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("wanted", ["logits", "probabilities"])
def test_a_runtime_that_computes_wrongly_makes_no_room_for_itself(scheme: str, wanted: Output) -> None:
    """As the largest difference of this run did: twice of it was allowed, on that runtime and on others."""
    scores = of(scheme, wanted=wanted)
    wrong = LOGITS + 40 * STEP * np.sign(np.roll(LOGITS, 1, axis=1))
    answers = wrong if wanted == "logits" else as_probabilities(wrong.astype(np.float64))
    off = float(np.abs(answers - scores.expected).max())
    rows, beyond = runtime_tolerances(scores, ROWS, {"litert": 0.0, "litert_js": off})
    limits = {row.runtime: row.max_abs for row in rows}
    assert limits == allowed(scores, litert=0.0, litert_js=0.0)
    assert off > max(limits.values())
    assert [text.partition(" is up to ")[0] for text in beyond] == [f"{scores.file.path}: litert_js"]


@pytest.mark.parametrize("integer", [False, True])
def test_int8_of_the_same_kernels_may_be_a_step_off_and_of_others_eight(integer: bool) -> None:
    limits = allowed(of("int8", integer=integer), litert=0.0, litert_arm64=0.0, tflite_micro=0.0)
    assert limits["litert"] == limits["litert_arm64"] == pytest.approx(1.5 * STEP)
    assert limits["tflite_micro"] == limits["default"] == pytest.approx(8.5 * STEP)


def test_floats_may_be_off_by_rounding_and_on_accelerators_by_more() -> None:
    limits = allowed(of("fp32"), litert=0.0, litert_js=0.0)
    largest = float(np.abs(LOGITS).max())
    assert limits["litert"] == limits["litert_js"] == pytest.approx(1e-5 * largest)
    assert limits["default"] == pytest.approx(2e-2 * largest)


def test_what_stays_within_the_gate_is_no_finding() -> None:
    rows, beyond = runtime_tolerances(of("int8"), ROWS, {"litert": 0.0, "litert_reference": 6 * STEP})
    assert beyond == ()
    assert "here, on 300 images: 0.75" in rows[1].reason


def test_probabilities_may_move_as_far_as_their_logits_let_them() -> None:
    """Every logit is moved, each way, as far as it may be: the bound holds, and is reached."""
    logits, most = LOGITS[:50].astype(np.float64), 0.2
    before = as_probabilities(logits)
    farthest = 0.0
    for label in range(10):
        for way in (-most, most):
            moved = logits - way
            moved[:, label] += 2 * way
            farthest = max(farthest, _apart(as_probabilities(moved), before))
    assert farthest == pytest.approx(behind_softmax(before, 2 * most), rel=1e-6)


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).max())
