"""The options that only `prune --method channel` has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from resnet_edge.api.checked import AtLeast0, AtLeast1, Positive
from resnet_edge.cli._options import value_type
from resnet_edge.compression.pruning import ImportanceName, Kind, Scope

Decorated = Callable[..., Any]


def _times(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """`0.5x` or `0.5`."""
    if value is None:
        return None
    try:
        share = float(value.removesuffix("x"))
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise click.BadParameter(f"{value!r}: give a share of today's latency between 0 and 1, as 0.5x")
    return share


OPTIONS = (
    click.option(
        "--of",
        default="macs",
        show_default=True,
        type=value_type(Kind),
        help="channel: what --amount is a share of.",
    ),
    click.option(
        "--target-latency",
        callback=_times,
        metavar="0.5x",
        help="channel: instead of --amount, search for this share of today's latency, by measuring.",
    ),
    click.option(
        "--backend",
        default="litert:cpu",
        show_default=True,
        metavar="NAME[:DEVICE]",
        help="channel: where latency is measured.",
    ),
    click.option(
        "--scheme",
        default="int8",
        show_default=True,
        metavar="NAME",
        help="channel: the artifact whose latency is measured.",
    ),
    click.option(
        "--threads",
        default=1,
        show_default=True,
        type=value_type(AtLeast1),
        help="channel: threads when latency is measured.",
    ),
    click.option(
        "--importance",
        default="norm",
        show_default=True,
        type=value_type(ImportanceName),
        help="channel: which channels go first. norm: those of the smallest weights in it and in the layers "
        "that read it; taylor: those of the lowest first-order Taylor score on training images.",
    ),
    click.option(
        "--multiple",
        default=8,
        show_default=True,
        type=value_type(AtLeast1),
        help="channel: what is left of a layer is a multiple of this.",
    ),
    click.option(
        "--scope",
        default="all",
        show_default=True,
        type=value_type(Scope),
        help="channel: all layers, or only those whose channels no residual addition joins.",
    ),
    click.option(
        "--blocks/--no-blocks",
        default=None,
        help="channel: whether whole residual blocks around identity shortcuts may go first. Fewer "
        "operations make a small network faster where fewer channels do not. "
        "[default: with --target-latency, yes; else no]",
    ),
    click.option(
        "--remove-blocks",
        type=value_type(AtLeast1),
        metavar="N",
        help="channel: remove so many blocks; channels only as --amount or --target-latency, if given, says.",
    ),
    click.option(
        "--sparse-epochs",
        default=0,
        show_default=True,
        type=value_type(AtLeast0),
        help="channel: train with a group penalty for so long before pruning.",
    ),
    click.option(
        "--sparsity",
        default=1e-4,
        show_default=True,
        type=value_type(Positive),
        help="channel: strength of that penalty.",
    ),
)


def channel_options(command: Decorated) -> Decorated:
    """Add them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
