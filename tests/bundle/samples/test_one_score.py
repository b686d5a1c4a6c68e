"""What the samples make of scores that have thresholds, and of numbers that have none, in every language that
runs here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.answers import answers, log_odds
from resnet_edge.core.head import Head, Output
from tests.bundle.samples import bundles

NODE = shutil.which("node")
CASES: tuple[tuple[Output, float, float], ...] = (
    ("probabilities", 0.5, 0.7),
    ("probabilities", 0.5, 0.5),
    ("probabilities", 0.3, 0.4),
    ("probabilities", 0.3, 0.3),
    ("logits", 0.0, -1.5),
    ("logits", 0.0, 0.0),
    ("logits", -1.0, -0.5),
)
PYTHON = """
import json, sys
sys.path.insert(0, "samples/python"); sys.path.insert(0, "selftest")
import numpy as np
from classify import answer, shares
told = []
for file, score in json.loads(sys.argv[1]):
    score = np.asarray(score, np.float32)
    told.append([answer(score, file), [float(share) for share in shares(score, file)]])
print(json.dumps(told))
"""
JAVASCRIPT = """
import { answer, best } from "./samples/javascript/preprocess.mjs";
const told = JSON.parse(process.argv[1]).map(([file, score]) => {
  const scores = Float32Array.from(score), found = best(scores, file);
  if (file.head === "multilabel") return [answer(scores, file).split(",").map(Number), found];
  if (file.head === "embedding") return [answer(scores, file), found];
  if (found[0][0] !== answer(scores, file)) throw new Error("the answer is not the first");
  return [answer(scores, file), found.sort((a, b) => a[0] - b[0]).map(([, share]) => share)];
});
console.log(JSON.stringify(told));
"""


def python(folder: Path, cases: str) -> Any:
    return _said([sys.executable, "-c", PYTHON, cases], folder)


def javascript(folder: Path, cases: str) -> Any:
    if NODE is None:  # it comes with the extras; Python's sample is run without it
        pytest.skip("node is not installed")
    return _said([NODE, "--input-type=module", "-e", JAVASCRIPT, cases], folder)


def _said(command: list[str], folder: Path) -> Any:
    return json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)


def _file(head: Head) -> dict[str, Any]:
    """What golden.json says of a file with that head."""
    limits = list(head.own_thresholds)
    return {"kind": head.output, "head": head.kind, "threshold": head.threshold, "thresholds": limits}


@pytest.mark.parametrize("sample", [python, javascript])
@pytest.mark.parametrize(
    ("head", "scores"),
    [
        (Head.multilabel(3, "probabilities"), [0.9, 0.5, 0.51]),
        (Head.multilabel(3, "probabilities", (0.1, 0.9, 0.3)), [0.2, 0.8, 0.3]),
        (Head.multilabel(3, "logits"), [-0.1, 0.0, 4.0]),
        (Head.multilabel(2, "logits"), [-1.0, -2.0]),
    ],
)
def test_each_label_is_held_against_its_own_threshold(
    sample: Callable[[Path, str], Any], head: Head, scores: list[float], tmp_path: Path, artifacts: Path
) -> None:
    bundles.write(tmp_path, artifacts)
    ((answer, shares),) = sample(tmp_path, json.dumps([(_file(head), scores)]))
    row = np.asarray([scores], np.float32)
    assert answer == answers(head, row)[0].tolist()
    likely = row[0] if head.output == "probabilities" else 1 / (1 + np.exp(-row[0]))
    if sample is python:
        np.testing.assert_allclose(shares, likely, rtol=1e-6)
        return
    given = np.flatnonzero(answer)
    assert [index for index, _ in shares] == sorted(given, key=lambda index: -likely[index])
    np.testing.assert_allclose([share for _, share in shares], sorted(likely[given], reverse=True), rtol=1e-6)


@pytest.mark.parametrize("sample", [python, javascript])
def test_numbers_of_an_embedding_have_no_answer(
    sample: Callable[[Path, str], Any], tmp_path: Path, artifacts: Path
) -> None:
    bundles.write(tmp_path, artifacts)
    ((answer, best),) = sample(tmp_path, json.dumps([(_file(Head.embedding(3)), [0.1, 5.0, -2.0])]))
    assert answer in (None, -1)
    assert sample is python or best == []


@pytest.mark.parametrize("sample", [python, javascript])
def test_it_is_held_against_the_threshold_and_told_as_shares_of_both(
    sample: Callable[[Path, str], Any], tmp_path: Path, artifacts: Path
) -> None:
    bundles.write(tmp_path, artifacts)
    cases = [(_file(Head.binary(kind, threshold)), [score]) for kind, threshold, score in CASES]
    results = sample(tmp_path, json.dumps(cases))
    for (output, threshold, score), (answer, shares) in zip(CASES, results, strict=True):
        one = np.asarray([[score]], np.float32)
        assert answer == answers(Head.binary(output, threshold), one)[0]
        second = score if output == "probabilities" else 1 / (1 + np.exp(-score))
        np.testing.assert_allclose(shares, [1 - second, second], rtol=1e-6)


def test_the_odds_are_those_of_the_share() -> None:
    np.testing.assert_allclose(log_odds(np.float64(1 / (1 + np.exp(1.5)))), -1.5)
