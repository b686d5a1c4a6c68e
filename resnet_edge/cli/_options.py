"""Options that several commands share, checked before any work."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from click.core import ParameterSource

from resnet_edge.core import registry
from resnet_edge.core.errors import UsageError
from resnet_edge.core.head import HeadKind
from resnet_edge.core.quantities import seconds_of
from resnet_edge.core.scheme import DenseScales

F = TypeVar("F", bound=Callable[..., Any])


def given(*without: str) -> dict[str, Any]:
    """The options that the user named, for the function of the command, whose defaults are those of the
    command; `without` are those that are for the terminal alone."""
    context = click.get_current_context()
    apart = {"as_json", "quiet", *without}
    return {
        name: value
        for name, value in context.params.items()
        if name not in apart and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def refuse_without_effect(params: Iterable[str], why: str) -> None:
    """Raise UsageError where the user named one of these options, which would change nothing."""
    context, named = click.get_current_context(), given()
    for param in context.command.get_params(context):
        if param.name in params and param.name in named:
            raise click.UsageError(f"{'/'.join((*param.opts, *param.secondary_opts))} {why}")


accept_reference_option = click.option(
    "--accept-reference",
    is_flag=True,
    help="Prove against the model though its accuracy here is no better than chance, or far below what its "
    "history says.",
)


thumbnails_option = click.option(
    "--thumbnails/--no-thumbnails",
    default=True,
    help="Small pictures of images whose answer changed, in the page alone: leave them out where it goes to "
    "people who may not see the images. [default: --thumbnails]",
)


def overwrite_option(what: str) -> Callable[[F], F]:
    """--overwrite: `what` may be replaced, once the new one is whole."""
    return click.option("--overwrite", is_flag=True, help=f"Replace {what}, once the new one is whole.")


junit_option = click.option(
    "--junit",
    type=click.Path(path_type=Path),
    metavar="FILE.xml",
    help="Write JUnit's XML for a CI server, too: a test case for each artifact on each backend.",
)


def dense_scales_option(help: str) -> Callable[[F], F]:
    """--dense-scales: one int8 scale for all outputs of a dense layer, or one for each."""
    return click.option(
        "--dense-scales", default="per-tensor", show_default=True, type=value_type(DenseScales), help=help
    )


def backends_option(help: str, default: str) -> Callable[[F], F]:
    """--backends: where artifacts run, here and on machines that `host prepare` made ready; `default` in
    words."""
    return click.option(
        "--backends",
        metavar="NAME[:DEVICE][@HOST],…",
        help=f"{help}: {', '.join(registry.names('backends'))}. On another machine, over ssh: litert@pi4. "
        f"[default: {default}]",
    )


cluster_option = click.option(
    "--cluster",
    metavar="ray[:HOST:PORT]",
    help="Run shards on a Ray cluster: ray, the one that this machine is part of; ray:HOST:PORT; or "
    "ray://HOST:PORT, from outside through Ray Client. Latency is never measured there. [default: here]",
)


def _never_there(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """A callback. Raises UsageError where it was given."""
    if value is not None:
        raise click.UsageError(
            "latency is never measured on a cluster, where others may run beside it: name one machine, "
            "over ssh, as in --backends litert@HOST"
        )


no_cluster_option = click.option(
    "--cluster",
    hidden=True,
    expose_value=False,
    callback=_never_there,
    is_eager=True,
    help="Refused: latency is never measured on a cluster.",
)
"""For who looks for it where there is none: an unknown option would say nothing of the way out."""


def value_type(hint: Any) -> click.ParamType[Any]:
    """The values that an option takes, as the signature of the function of its command has them."""
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint), case_sensitive=False)
    kind, within = get_args(hint)
    most = None if math.isinf(within.most) else within.most
    if kind is int:
        return click.IntRange(within.least, most)
    return _FiniteRange(within.least, most, min_open=within.least_open, max_open=within.most_open)


output_name_option = click.option(
    "--output", metavar="NAME", help="Of a model with several outputs, the one to take."
)

head_option = click.option(
    "--head",
    type=value_type(HeadKind),
    help="What the outputs are, where the model does not say: one of classes, one of two (binary), any of "
    "several labels (multilabel), or an embedding. [default: what the .json beside the model says, else what "
    "the model ends in]",
)


INPUT_SHAPE_HELP = (
    "For a model that does not know its own. [default: that of the images of --data, where all have one]"
)


class _FiniteRange(click.FloatRange):
    """A FloatRange that refuses NaN, which no comparison does, and infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def shape(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """A callback for H,W,C."""
    if value is None:
        return None
    try:
        height, width, channels = (int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter("give three numbers, as in 224,224,3") from None
    if min(height, width, channels) < 1:
        raise click.BadParameter("sizes are positive")
    return height, width, channels


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A callback for a time such as 60s."""
    if value is None:
        return None
    try:
        return seconds_of(value)
    except UsageError as error:
        raise click.BadParameter(str(error)) from None
