"""What `resnet_edge.prune` refuses before any work. Whole runs: tests/cli/test_prune_*.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_edge import errors, prune
from tests.api.refusals import check_refused

GIVEN: dict[str, Any] = {"data": "fashion-mnist", "out": "y.keras"}
CHANNEL = {**GIVEN, "method": "channel"}
MAGNITUDE = {**GIVEN, "method": "magnitude"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**CHANNEL, "schedule": "constant"}, "--schedule belongs to --method magnitude: .* with channel"),
        ({**MAGNITUDE, "of": "macs"}, "--of belongs to --method channel: .* with magnitude"),
        ({**MAGNITUDE, "blocks": False}, "--blocks belongs to --method channel"),
        ({**MAGNITUDE, "remove_blocks": 1}, "--remove-blocks belongs to --method channel"),
        ({**GIVEN, "method": "random"}, "--method 'random': give one of magnitude, channel"),
        ({**MAGNITUDE, "epochs": 0}, "--epochs 0: magnitude pruning happens while the network trains"),
        ({**MAGNITUDE, "precision": "mixed_float16"}, "--precision mixed_float16: .* in float32 only"),
        ({**CHANNEL, "target_latency": 0.5, "amount": 0.5}, "--amount and --target-latency both say"),
        ({**CHANNEL, "target_latency": 0.5, "of": "macs"}, "--of and --target-latency both say"),
        ({**CHANNEL, "sparsity": 1e-3}, "--sparsity is the strength of --sparse-epochs"),
        ({**CHANNEL, "sparsity": 1e-3, "sparse_epochs": 0}, "--sparsity is the strength of --sparse-epochs"),
        (
            {**CHANNEL, "remove_blocks": 1, "blocks": False},
            "--remove-blocks and --no-blocks say the opposite",
        ),
        (
            {**CHANNEL, "remove_blocks": 1, "scope": "inner"},
            "--scope applies to channels, and --remove-blocks alone",
        ),
        (
            {**CHANNEL, "remove_blocks": 1, "importance": "taylor"},
            "--importance applies to channels, and --remove-blocks alone",
        ),
        (
            {**CHANNEL, "epochs": 0, "learning_rate": 0.1},
            "--learning-rate applies to fine-tuning, and --epochs 0",
        ),
        ({**CHANNEL, "epochs": 0, "teacher": "resnet20"}, "--teacher applies to fine-tuning"),
        ({**CHANNEL, "epochs": 0, "augment": "none"}, "--augment applies to fine-tuning"),
        ({**CHANNEL, "temperature": 2}, "--temperature needs --teacher MODEL"),
        ({**CHANNEL, "out": "y.h5"}, "--out y.h5 must end in .keras"),
        ({**CHANNEL, "resume": True}, "nothing to resume"),
    ],
)
def test_options_that_contradict_are_refused_before_any_work(
    here: Path, options: dict[str, Any], message: str
) -> None:
    check_refused(lambda: prune("resnet20", **options), errors.UsageError, message)


def test_the_model_is_not_written_over(here: Path) -> None:
    (here / "y.keras").write_bytes(b"a model")
    check_refused(
        lambda: prune("../" + here.name + "/y.keras", **CHANNEL, overwrite=True),
        errors.UsageError,
        "is the model itself",
    )
