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
    preprocess: str | None = None,
) -> tuple[str, ...]:
    """One for each step, in order: prune, qat, convert to `file_format`. What no command makes, a network
    that was fine-tuned for another input size and not pruned, they begin with, as the file `network`.
    `preprocess`: what a name such as app:ResNet50 stands for, which a file made of it does not say."""
    steps: list[list[str]] = []
    model, derived = inputs.model, _derived(request, preprocess)
    opened = derived if configuration.input_size is not None else _given(request)
    if network is not None and configuration.pruning == "none" and configuration.epochs:
        return (_line(_convert([network, *derived], configuration, request, inputs, file_format)),)
    if configuration.pruning != "none" and inputs.training is not None:
        steps.append(_prune([model, *opened], configuration, request, inputs.training))
        model, opened = PRUNED, derived
    if configuration.qat_epochs and inputs.training is not None:
        words = ["qat", model, *opened, "--data", inputs.training]
        trained = _training(configuration.qat_epochs, request)
        steps.append([*words, *trained, "--out", TRAINED])
        model, opened = TRAINED, derived
    elif request.model.trust and opened is not derived:
        opened = [*opened, "--trust"]  # a SavedModel, of which nothing else is made
    steps.append(_convert([model, *opened], configuration, request, inputs, file_format))
    return tuple(map(_line, steps))


def _line(words: list[str]) -> str:
    return f"resnet-edge {shlex.join(words)}"


def _given(request: SearchRequest) -> list[str]:
    """How the model is opened, as the user said it."""
    given, words = request.model, _derived(request, None)
    if given.input_shape is not None:
        words += ["--input-shape", ",".join(map(str, given.input_shape))]
    words += [] if given.output is None else ["--output", given.output]
    return words


def _derived(request: SearchRequest, preprocess: str | None) -> list[str]:
    """How a file is opened that was made of the model: it has one output, a size, and no code."""
    known, head = request.model.preprocess or preprocess, request.model.head
    return [
        *([] if known is None else ["--preprocess", known]),
        *([] if head is None else ["--head", head]),
    ]


def _prune(
    opened: list[str], configuration: Configuration, request: SearchRequest, training: str
) -> list[str]:
    """`opened`: the model, and how it is opened."""
    words = ["prune", *opened, "--method", configuration.pruning, "--data", training]
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
    opened: list[str],
    configuration: Configuration,
    request: SearchRequest,
    inputs: PointInputs,
    file_format: str,
) -> list[str]:
    """`opened`: the model, and how it is opened."""
    words = ["convert", *opened, "--data", inputs.data]
    words += ["--formats", file_format, "--schemes", configuration.scheme]
    if scheme_of(configuration.scheme).needs_calibration:
        words += [] if inputs.calibration is None else ["--calibration", inputs.calibration]
        words += [] if configuration.calibrator == "auto" else ["--calibrator", configuration.calibrator]
        words += ["--repair", configuration.repair]
    if configuration.float_layers:
        words += ["--float-layers", f"{configuration.float_layers}"]
    words += ["--accept-reference"] if request.accept_reference else []
    return [*words, "--no-plan", "--backends", request.backend, "--out", "dist"]
