"""The command lines that make a configuration again. Pure functions; runs anywhere."""

from __future__ import annotations

import shlex

from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.request import SearchRequest


def commands(configuration: Configuration, request: SearchRequest) -> tuple[str, ...]:
    """One for each step, in order: prune, qat, convert."""
    steps: list[list[str]] = []
    model = request.source_name or request.model.source
    training = request.training
    if configuration.pruning != "none" and training is not None:
        pruned = "pruned.keras"
        words = ["prune", model, "--method", configuration.pruning, "--data", training.data]
        if configuration.amount:
            words += ["--amount", f"{configuration.amount:g}"]
        words += ["--importance", configuration.importance, "--multiple", f"{configuration.multiple}"]
        if configuration.remove_blocks:
            words += ["--remove-blocks", f"{configuration.remove_blocks}"]
        words += [*_training(configuration.epochs, request), "--out", pruned]
        steps.append(words)
        model = pruned
    if configuration.qat_epochs and training is not None:
        trained = "qat.keras"
        steps.append(
            [
                "qat",
                model,
                "--data",
                training.data,
                "--epochs",
                f"{configuration.qat_epochs}",
                "--out",
                trained,
            ]
        )
        model = trained
    steps.append(_convert(model, configuration, request))
    return tuple(f"resnet-edge {shlex.join(words)}" for words in steps)


def _training(epochs: int, request: SearchRequest) -> list[str]:
    training = request.training
    assert training is not None
    if not epochs:
        return ["--epochs", "0"]
    return [
        *("--epochs", f"{epochs}", "--learning-rate", f"{training.learning_rate:g}"),
        *("--warmup-epochs", f"{min(1.0, epochs / 4):g}", "--batch-size", f"{training.batch_size}"),
        *("--seed", f"{training.seed}"),
    ]


def _convert(model: str, configuration: Configuration, request: SearchRequest) -> list[str]:
    words = ["convert", model, "--data", request.data, "--schemes", configuration.scheme]
    if request.calibration is not None:
        words += ["--calibration", request.calibration]
    if configuration.calibrator != "auto":
        words += ["--calibrator", configuration.calibrator]
    if configuration.repair != "auto":
        words += ["--repair", configuration.repair]
    if configuration.float_layers:
        words += ["--float-layers", f"{configuration.float_layers}"]
    return [*words, "--no-plan", "--backends", request.backend, "--out", "dist"]
