"""Tests of the schedules, the choice of layers, and of the zeros that tfmot leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.core.errors import ResnetEdgeError, UsageError
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.process import WorkerProcess


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    grant = Grant(writes=(str(tmp_path_factory.getbasetemp()),))
    with tfmot_worker("probe", tmp_path_factory.mktemp("log") / "probe.log", grant) as running:
        yield running


def ask(worker: WorkerProcess, function: str, **options: Any) -> Any:
    return worker.call(f"tests.compression.tfmot.probes:{function}", options, Any)


def test_a_users_module_gets_keras_3_as_everywhere_else(worker: WorkerProcess) -> None:
    assert ask(worker, "keras_of_tensorflow").startswith("3.")


@pytest.mark.parametrize("schedule", ["polynomial", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 40, 445, 8900, 100_000])
def test_the_last_update_comes_before_the_last_epochs_and_is_one(
    worker: WorkerProcess, schedule: str, steps: int
) -> None:
    result = ask(worker, "plans", schedule=schedule, steps=steps)
    begin, end, frequency = result["begin"], result["end"], result["frequency"]
    assert max(1, begin) <= end <= max(1, 0.6 * steps)
    assert (end - begin) % frequency == 0
    assert end >= 0.6 * steps - frequency - 1
    assert frequency == 1 or (end - begin) // frequency >= 20


def test_polynomial_pruning_approaches_the_amount_and_keeps_its_masks(worker: WorkerProcess) -> None:
    result = ask(worker, "trained", amount=0.75, steps=30)
    seen = result["seen"]
    assert seen == sorted(seen)
    assert 0 < seen[0] < 0.3
    assert seen[17:] == pytest.approx([0.75] * 13, abs=0.005)
    assert result["sparsity"] == {"trunk_block": [243, 324], "head": [18, 24]}
    assert result["dense"] == [0.0]


def test_constant_pruning_begins_with_the_amount(worker: WorkerProcess) -> None:
    result = ask(worker, "trained", amount=0.5, steps=5, schedule="constant")
    assert result["seen"] == [0.5] * 5
    assert result["sparsity"] == {"trunk_block": [162, 324], "head": [12, 24]}


def test_stripping_gives_the_layers_back_as_they_were(worker: WorkerProcess) -> None:
    result = ask(worker, "trained", amount=0.5, steps=3, exclude=())
    assert result["layers"][1:] == [
        *("trunk_stem", "trunk_stem_bn", "trunk_stem_relu", "trunk_block", "trunk_block_bn"),
        *("trunk_add", "trunk_out", "pool", "head"),
    ]
    assert set(result["sparsity"]) == {"trunk_stem", "trunk_block", "head"}


@pytest.mark.parametrize(
    ("exclude", "names"),
    [
        (None, ["trunk_block", "head"]),
        ([], ["trunk_stem", "trunk_block", "head"]),
        (["head"], ["trunk_stem", "trunk_block"]),
        (["trunk_*"], ["head"]),
        (["trunk_stem", "he?d"], ["trunk_block"]),
    ],
)
def test_exclude_takes_names_and_globs(
    worker: WorkerProcess, exclude: list[str] | None, names: list[str]
) -> None:
    assert ask(worker, "names", exclude=exclude) == names


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        (
            ["steem"],
            "--exclude 'steem': no convolution .* called so; there are trunk_stem, trunk_block, head",
        ),
        (["trunk_stem_bn"], "no convolution or dense layer"),
        (["*"], "leaves no layer to prune"),
    ],
)
def test_an_exclude_that_makes_no_sense_is_refused(
    worker: WorkerProcess, exclude: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ask(worker, "names", exclude=exclude)


def test_fewer_zeros_than_asked_for_are_an_error(worker: WorkerProcess) -> None:
    layers = [{"name": "conv", "weights": 100, "zeros": zeros, "sparsity": zeros / 100} for zeros in (50, 48)]
    worker.call("tests.compression.tfmot.probes:check", layers[:1], type(None))
    with pytest.raises(ResnetEdgeError, match="conv has 48 zeros in 100 weights, and 50 were asked for"):
        worker.call("tests.compression.tfmot.probes:check", layers, type(None))
