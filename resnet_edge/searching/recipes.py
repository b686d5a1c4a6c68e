"""The command lines that make a configuration again. Pure functions; runs anywhere."""

from __future__ import annotations

import shlex

from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.point_inputs import PointInputs
from resnet_edge.searching.request import SearchRequest


def commands(
    configuration: Configuration, request: SearchRequest, inputs: PointInputs, network: str | None = None
) -> tuple[str, ...]:
    """One for each step, in order: prune, qat, convert. What no command makes, a network that was fine-tuned
    for another input size and not pruned, they begin with, as the file `network`."""
    steps: list[list[str]] = []
    model, training = inputs.model, inputs.training
    if network is not None and configuration.pruning == "none" and configuration.epochs:
        return (_line(_convert(network, configuration, request, inputs)),)
    if configuration.pruning != "none" and training is not None:
        pruned = "pruned.keras"
        words = ["prune", model, "--method", configuration.pruning, "--data", training]
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
                training,
                "--epochs",
                f"{configuration.qat_epochs}",
                "--out",
                trained,
            ]
        )
        model = trained
    steps.append(_convert(model, configuration, request, inputs))
    return tuple(map(_line, steps))


def _line(words: list[str]) -> str:
    return f"resnet-edge {shlex.join(words)}"


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


def _convert(
    model: str, configuration: Configuration, request: SearchRequest, inputs: PointInputs
) -> list[str]:
    words = ["convert", model, "--data", inputs.data, "--schemes", configuration.scheme]
    if inputs.calibration is not None:
        words += ["--calibration", inputs.calibration]
    if configuration.calibrator != "auto":
        words += ["--calibrator", configuration.calibrator]
    if configuration.repair != "auto":
        words += ["--repair", configuration.repair]
    if configuration.float_layers:
        words += ["--float-layers", f"{configuration.float_layers}"]
    return [*words, "--no-plan", "--backends", request.backend, "--out", "dist"]
