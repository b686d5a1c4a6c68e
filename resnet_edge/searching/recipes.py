"""The command lines that make a configuration again. Pure functions; runs anywhere."""

from __future__ import annotations

import shlex

from resnet_edge.core.results.search import Configuration
from resnet_edge.schemes import scheme_of
from resnet_edge.searching.point_inputs import PointInputs
from resnet_edge.searching.request import SearchRequest

PRUNED, TRAINED = "pruned.keras", "qat.keras"


def commands(
    configuration: Configuration,
    request: SearchRequest,
    inputs: PointInputs,
    file_format: str,
    network: str | None = None,
) -> tuple[str, ...]:
    """One for each step, in order: prune, qat, convert to `file_format`. What no command makes, a network
    that was fine-tuned for another input size and not pruned, they begin with, as the file `network`."""
    steps: list[list[str]] = []
    model = inputs.model
    if network is not None and configuration.pruning == "none" and configuration.epochs:
        return (_line(_convert(network, configuration, request, inputs, file_format)),)
    if configuration.pruning != "none" and inputs.training is not None:
        steps.append(_prune(model, configuration, request, inputs.training))
        model = PRUNED
    if configuration.qat_epochs and inputs.training is not None:
        words = ["qat", model, "--data", inputs.training, *_opened(model, request)]
        trained = _training(configuration.qat_epochs, request)
        steps.append([*words, *trained, "--out", TRAINED])
        model = TRAINED
    steps.append(_convert(model, configuration, request, inputs, file_format))
    return tuple(map(_line, steps))


def _line(words: list[str]) -> str:
    return f"resnet-edge {shlex.join(words)}"


def _opened(model: str, request: SearchRequest) -> list[str]:
    """How a model is opened, as the user said it; what was made of it has one output and a size."""
    given, first = request.model, model not in (PRUNED, TRAINED)
    words = [] if given.preprocess is None else ["--preprocess", given.preprocess]
    words += [] if given.head is None else ["--head", given.head]
    if first and given.input_shape is not None:
        words += ["--input-shape", ",".join(map(str, given.input_shape))]
    if first and given.output is not None:
        words += ["--output", given.output]
    return words


def _prune(model: str, configuration: Configuration, request: SearchRequest, training: str) -> list[str]:
    words = ["prune", model, "--method", configuration.pruning, "--data", training]
    words += _opened(model, request)
    if configuration.amount:
        words += ["--amount", f"{configuration.amount:g}"]
    if configuration.pruning == "channel" and configuration.amount:
        words += ["--importance", configuration.importance, "--multiple", f"{configuration.multiple}"]
    if configuration.remove_blocks:
        words += ["--remove-blocks", f"{configuration.remove_blocks}"]
    if configuration.epochs:
        rate = request.training.learning_rate if request.training is not None else 0.0
        words += [*_training(configuration.epochs, request), "--learning-rate", f"{rate:g}"]
    else:
        words += ["--epochs", "0"]
    return [*words, "--out", PRUNED]


def _training(epochs: int, request: SearchRequest) -> list[str]:
    training = request.training
    assert training is not None  # else nothing is trained
    return [
        *("--epochs", f"{epochs}", "--warmup-epochs", f"{min(1.0, epochs / 4):g}"),
        *("--batch-size", f"{training.batch_size}", "--seed", f"{training.seed}"),
    ]


def _convert(
    model: str, configuration: Configuration, request: SearchRequest, inputs: PointInputs, file_format: str
) -> list[str]:
    words = ["convert", model, "--data", inputs.data, *_opened(model, request)]
    words += ["--formats", file_format, "--schemes", configuration.scheme]
    if scheme_of(configuration.scheme).needs_calibration:
        words += [] if inputs.calibration is None else ["--calibration", inputs.calibration]
        words += [] if configuration.calibrator == "auto" else ["--calibrator", configuration.calibrator]
        words += ["--repair", configuration.repair]
    if configuration.float_layers:
        words += ["--float-layers", f"{configuration.float_layers}"]
    words += ["--trust"] if request.model.trust and model not in (PRUNED, TRAINED) else []
    return [*words, "--no-plan", "--backends", request.backend, "--out", "dist"]
