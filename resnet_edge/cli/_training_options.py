"""The options of every command that trains or fine-tunes, with defaults that each command chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from resnet_edge.api.checked import (
    AtLeast0,
    AtLeast1,
    NotNegative,
    PartBelowOne,
    PartOfAll,
    Positive,
    UpToHalf,
)
from resnet_edge.cli._options import overwrite_option, shape, value_type
from resnet_edge.training.recipe import Precision

Decorated = Callable[..., Any]


class _DeviceCount(click.ParamType[Any]):
    """A number of devices, or all."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "all" else value_type(AtLeast1).convert(value, param, ctx)


device_options = (
    click.option(
        "--devices",
        default=1,
        show_default=True,
        type=_DeviceCount(),
        metavar="N|all",
        help="Divide each batch among so many devices of this machine.",
    ),
    click.option(
        "--coordinator",
        metavar="HOST:PORT",
        help="Where process 0 of a training of several processes can be reached.",
    ),
    click.option(
        "--processes",
        default=1,
        show_default=True,
        type=value_type(AtLeast1),
        help="Divide each batch among the devices of so many, each started with the same command.",
    ),
    click.option(
        "--process-index",
        default=0,
        show_default=True,
        type=value_type(AtLeast0),
        help="Which of them this one is, from 0, which writes the files.",
    ),
)


def training_options(
    *,
    epochs: int,
    learning_rate: float | None,
    warmup_epochs: float,
    weight_decay: float = 5e-4,
    epochs_type: Any = AtLeast1,
    precision: Any = Precision,
    rate_help: str = "",
) -> Callable[[Decorated], Decorated]:
    """Add the options."""
    options = [
        click.option(
            "--data",
            required=True,
            help="fashion-mnist[:FOLDER], a folder of class folders, an .npz, or shards (docs/data.md).",
        ),
        click.option(
            "--out",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="Where the .keras file goes.",
        ),
        click.option("--epochs", default=epochs, show_default=True, type=value_type(epochs_type)),
        click.option("--batch-size", default=128, show_default=True, type=value_type(AtLeast1)),
        click.option(
            "--learning-rate",
            default=learning_rate,
            show_default=learning_rate is not None,
            type=value_type(Positive),
            help="At the top of the schedule." + rate_help,
        ),
        click.option(
            "--warmup-epochs", default=warmup_epochs, show_default=True, type=value_type(NotNegative)
        ),
        click.option("--weight-decay", default=weight_decay, show_default=True, type=value_type(NotNegative)),
        click.option("--label-smoothing", default=0.0, show_default=True, type=value_type(PartBelowOne)),
        click.option(
            "--augment", default="flip,crop,erase", show_default=True, help="Comma-separated, or 'none'."
        ),
        click.option(
            "--validation",
            default=0.05,
            show_default=True,
            type=value_type(UpToHalf),
            help="Share of the training images held out.",
        ),
        click.option("--precision", default="float32", show_default=True, type=value_type(precision)),
        click.option(
            "--teacher",
            metavar="MODEL",
            help="Distil: learn from this model's outputs as well as from the labels.",
        ),
        click.option(
            "--teacher-preprocess",
            metavar="NAME|FILE",
            help="What the teacher wants of raw pixels, as --preprocess of convert. "
            "[default: read from the teacher]",
        ),
        click.option("--teacher-output", metavar="NAME", help="Of a teacher with several outputs."),
        click.option(
            "--teacher-weight",
            default=0.5,
            show_default=True,
            type=value_type(PartOfAll),
            help="The teacher's share of the loss.",
        ),
        click.option(
            "--temperature",
            default=4.0,
            show_default=True,
            type=value_type(Positive),
            help="Softens both outputs before they are compared.",
        ),
        click.option("--seed", default=0, show_default=True, type=value_type(AtLeast0)),
        *device_options,
        click.option(
            "--resume", is_flag=True, help="Continue an interrupted run; an error where there is none."
        ),
        overwrite_option("FILE.keras and its sidecar; give up an unfinished run of another recipe"),
    ]

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def input_shape_option(command: Decorated) -> Decorated:
    """For a command that makes a network for the images."""
    return click.option(
        "--input-shape", callback=shape, metavar="H,W,C", help="For a folder of images: resize to this."
    )(command)
