"""The options that only `prune --method channel` has, and the request that they make."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from resnet_edge.cli._options import FiniteRange
from resnet_edge.compression.pruning import PruningTarget, Rules
from resnet_edge.core.errors import UsageError

Decorated = Callable[..., Any]


def _times(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """`0.5x` or `0.5`."""
    if value is None:
        return None
    try:
        found = float(value.removesuffix("x"))
    except ValueError:
        found = math.nan
    if not 0 < found < 1:
        raise click.BadParameter(f"{value!r}: give a share of today's latency between 0 and 1, as 0.5x")
    return found


OPTIONS = (
    click.option(
        "--of",
        "kind",
        default="macs",
        show_default=True,
        type=click.Choice(["macs", "parameters"]),
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
        type=click.IntRange(1),
        help="channel: threads when latency is measured.",
    ),
    click.option(
        "--importance",
        default="norm",
        show_default=True,
        type=click.Choice(["norm", "taylor"]),
        help="channel: a channel's share in what its readers get, from the weights alone; or the "
        "first-order Taylor score on training images.",
    ),
    click.option(
        "--multiple",
        default=8,
        show_default=True,
        type=click.IntRange(1),
        help="channel: what is left of a layer is a multiple of this.",
    ),
    click.option(
        "--scope",
        default="all",
        show_default=True,
        type=click.Choice(["all", "inner"]),
        help="channel: inner leaves alone what residual additions join.",
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
        type=click.IntRange(1),
        metavar="N",
        help="channel: remove so many blocks; channels only as --amount or --target-latency, if given, says.",
    ),
    click.option(
        "--sparse-epochs",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="channel: train with a group penalty for so long before pruning.",
    ),
    click.option(
        "--sparsity",
        default=1e-4,
        show_default=True,
        type=FiniteRange(0, min_open=True),
        help="channel: strength of that penalty.",
    ),
)
NAMES = (
    "kind",
    "target_latency",
    "backend",
    "scheme",
    "threads",
    "importance",
    "multiple",
    "scope",
    "blocks",
    "remove_blocks",
    "sparse_epochs",
    "sparsity",
)


def channel_options(command: Decorated) -> Decorated:
    """Add them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def wanted(amount: float, exclude: tuple[str, ...] | None, options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a ChannelRequest that the options decide. Raises UsageError."""
    from resnet_edge.compression.step_latency import TimedAs

    context = click.get_current_context()
    given = {name for name in NAMES if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    latency, count, blocks = (options[name] for name in ("target_latency", "remove_blocks", "blocks"))
    typed = context.get_parameter_source("amount") is ParameterSource.COMMANDLINE
    amounts = [option for option, is_given in (("--amount", typed), ("--of", "kind" in given)) if is_given]
    if latency is not None and amounts:
        raise UsageError(f"{amounts[0]} and --target-latency both say how much goes: give one of them")
    if "sparsity" in given and not options["sparse_epochs"]:
        raise UsageError("--sparsity is the strength of --sparse-epochs: give both")
    if count is not None and blocks is False:
        raise UsageError("--remove-blocks and --no-blocks say the opposite: give one of them")
    if blocks is None:
        blocks = latency is not None or count is not None
    blocks_only = count is not None and not amounts
    backend, _, device = options["backend"].partition(":")
    return {
        "target": None if latency is not None or blocks_only else PruningTarget(options["kind"], 1 - amount),
        "target_latency": latency,
        "timed": TimedAs(
            backend=backend, device=device or "cpu", scheme=options["scheme"], threads=options["threads"]
        ),
        "rules": Rules(
            multiple=options["multiple"], exclude=exclude or (), scope=options["scope"], blocks=blocks
        ),
        "remove_blocks": count,
        "importance": options["importance"],
        "sparse_epochs": options["sparse_epochs"],
        "sparsity": options["sparsity"],
    }
