"""`resnet-edge host prepare`, `show` and `remove`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from resnet_edge.cli._options import given
from resnet_edge.cli.terminal import output_options, print_json, progress

host_argument = click.argument("host", metavar="HOST")


@click.group("host")
def command() -> None:
    """Prepare another machine, reached over ssh, to run files.

    HOST is a name of your ssh configuration, or user@address[:port]. OpenSSH's own client connects, with your
    keys, jump hosts and known hosts; an unknown host key is refused as on the command line.
    """


@command.command("prepare")
@host_argument
@click.option(
    "--backends",
    default="litert,onnxruntime",
    show_default=True,
    metavar="NAME[:DEVICE],…",
    help="The runtimes to bring there, each in the version that is installed here; onnxruntime:cuda brings "
    "the one for NVIDIA's GPUs.",
)
@output_options
def prepare(host: str, as_json: bool, quiet: bool, **options: object) -> None:
    """Install this package and runtimes on HOST.

    They go into an environment of their own. HOST needs Linux on x86-64 or aarch64, with glibc and a Python,
    and neither root nor a network: wheels come from pip's registry to this machine, and go over ssh. An
    environment that is there is left until the new one is whole. A second time nothing is copied.
    """
    from resnet_edge.api.host_prepare import host_prepare
    from resnet_edge.report import host_words

    with progress(quiet) as report:
        preparation = host_prepare(host, **given("host"), on_progress=report)
    if as_json:
        print_json(preparation.to_dict())
    elif not quiet:
        _print(host_words.preparation(preparation))


@command.command("show")
@host_argument
@output_options
def show(host: str, as_json: bool, quiet: bool) -> None:
    """Show what is on HOST, and change nothing.

    Its processor, versions of Python, free disk space, and the environment that `host prepare` made.
    """
    from resnet_edge.api.host_show import host_show
    from resnet_edge.report import host_words

    state = host_show(host)
    if as_json:
        print_json(state.to_dict())
    elif not quiet:
        _print(host_words.state(state))


@command.command("remove")
@host_argument
@output_options
def remove(host: str, as_json: bool, quiet: bool) -> None:
    """Remove from HOST what was installed or copied there.

    The environment that `host prepare` made, and the files that runs copied there.
    """
    from resnet_edge.api.host_remove import host_remove
    from resnet_edge.report import host_words

    removal = host_remove(host)
    if as_json:
        print_json(removal.to_dict())
    elif not quiet:
        _print([host_words.removal(removal)])


def _print(lines: Iterable[str]) -> None:
    from resnet_edge.cli._grid import print_line, spelled, stdout_console

    console = stdout_console()
    for line in lines:
        print_line(console, spelled(console, line))
