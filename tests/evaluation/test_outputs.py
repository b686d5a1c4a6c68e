"""Tests of evaluation.outputs: logits and probabilities as one kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.evaluation.outputs import BLOCK, align, as_probabilities, kind_of, seen
from resnet_edge.evaluation.outputs_task import Aligned, AlignOutputs
from resnet_edge.workers.progress import silent

LOGITS = np.random.default_rng(0).normal(0, 4, (BLOCK + 7, 5)).astype(np.float32)
PROBABILITIES = as_probabilities(LOGITS.astype(np.float64)).astype(np.float32)
ONE_LOGIT = LOGITS[:, :1]
ONE_PROBABILITY = as_probabilities(ONE_LOGIT.astype(np.float64)).astype(np.float32)


def test_probabilities_are_within_0_to_1_and_add_up_to_1() -> None:
    assert kind_of(PROBABILITIES) == kind_of(ONE_PROBABILITY) == "probabilities"
    assert kind_of(LOGITS) == kind_of(ONE_LOGIT) == "logits"
    assert kind_of(np.random.default_rng(0).uniform(0, 1, (99, 5)).astype(np.float32)) == "logits"
    assert kind_of(LOGITS[:0]) == "logits"


def test_an_int8_softmax_is_one() -> None:
    """Its scores are rounded to 1/256, and their sum is off by as much for each."""
    assert kind_of((np.rint(PROBABILITIES * 256) / 256).clip(0, 255 / 256)) == "probabilities"


def test_what_is_wrong_in_the_last_block_is_seen() -> None:
    spoiled = PROBABILITIES.copy()
    spoiled[-1, 0] = -1e-3
    assert kind_of(spoiled) == "logits"
    spoiled[-1, 0] = np.nan
    assert kind_of(spoiled) == "logits"


def test_softmax_and_sigmoid_of_any_size() -> None:
    wide = np.array([[1e4, 0.0], [-1e4, -1e4], [0.0, np.log(3)]])
    expected = np.array([[1, 0], [0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(as_probabilities(wide), expected, atol=1e-15)
    logits = np.array([[-1e4], [0.0], [1e4]])
    np.testing.assert_allclose(as_probabilities(logits), np.array([[0], [0.5], [1]]))


def aligned(
    folder: Path, reference: NDArray[np.float32], candidate: NDArray[np.float32], head: Head
) -> Aligned:
    np.save(folder / "reference.npy", reference)
    np.save(folder / "candidate.npy", candidate)
    places = (str(folder / f"{name}.npy") for name in ("reference", "candidate", "out"))
    reference_, candidate_, out = places
    return align(AlignOutputs(reference=reference_, candidate=candidate_, head=head, out=out), silent)


@pytest.mark.parametrize("both", [LOGITS, PROBABILITIES, ONE_LOGIT])
def test_what_is_of_one_kind_stays(tmp_path: Path, both: NDArray[np.float32]) -> None:
    head = Head.of_outputs(both.shape[1], "logits")
    result = aligned(tmp_path, both, both, head)
    assert result.head.output == kind_of(both)
    assert (Path(result.reference).name, Path(result.candidate).name) == ("reference.npy", "candidate.npy")
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize(("logits", "probabilities"), [(LOGITS, PROBABILITIES), (ONE_LOGIT, ONE_PROBABILITY)])
@pytest.mark.parametrize("whose", ["reference", "candidate"])
def test_the_logits_go_through_a_softmax_or_sigmoid(
    tmp_path: Path, logits: NDArray[np.float32], probabilities: NDArray[np.float32], whose: str
) -> None:
    pair = (logits, probabilities) if whose == "reference" else (probabilities, logits)
    result = aligned(tmp_path, *pair, Head.of_outputs(logits.shape[1], kind_of(pair[0])))
    assert result.head.output == "probabilities"
    np.testing.assert_allclose(np.load(result.reference), probabilities, atol=1e-7)
    np.testing.assert_allclose(np.load(result.candidate), probabilities, atol=1e-7)
    assert Path(getattr(result, whose)).name == "out.npy"


def test_a_threshold_moves_along(tmp_path: Path) -> None:
    result = aligned(tmp_path, ONE_LOGIT, ONE_PROBABILITY, Head.binary("logits", float(np.log(3))))
    assert result.head.threshold == pytest.approx(0.75)
    assert seen(Head.binary("logits"), ONE_PROBABILITY) == Head.binary("probabilities")
