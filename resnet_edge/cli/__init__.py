"""The command line: reads options, calls one stage, prints. No logic, no framework.

Each command is one file here, named like the command, with a `command`. Errors become one
line on stderr and the exit code of the contract in one place, `Program.invoke`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import click

from resnet_edge import __version__
from resnet_edge.cli.terminal import fail
from resnet_edge.core.errors import EXIT_INTERRUPTED, ResnetEdgeError


class Program(click.Group):
    """Finds its commands by listing the files of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        files = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
        return [name for name in files if name != "terminal"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ResnetEdgeError as error:
            fail(str(error))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            fail("interrupted; nothing half-written is left")
            ctx.exit(EXIT_INTERRUPTED)


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="resnet-edge")
def main() -> None:
    """Convert a Keras ResNet to TFLite and ONNX, and prove what comes out."""
