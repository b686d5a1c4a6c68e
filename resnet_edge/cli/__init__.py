"""The command line: reads options, calls one function of `resnet_edge.api`, prints. No logic, no framework.

Each command is one file here, named like the command, with a `command`. Errors become one
line on stderr and the exit code of the contract in one place, `CommandGroup`.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from resnet_edge import __version__
from resnet_edge.cli._annotations import annotate_error
from resnet_edge.cli._interrupt import NOTHING_LEFT, Interrupted, interruptible
from resnet_edge.cli.terminal import fail, last_words, print_error_document, silence
from resnet_edge.core.choices import did_you_mean
from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_INTERRUPTED, OutputError, ResnetEdgeError

DEBUG = "RESNET_EDGE_DEBUG"
"""Set it to get the traceback of an error that is a bug of ours."""

PIPE_CLOSED = 141
"""What a shell tells of a program that SIGPIPE ended, as it ends cat or grep before `| head`. No code of the
contract: who reads our output has closed it, and nothing is wrong."""


class CommandGroup(click.Group):
    """Finds its commands by listing the files of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        files = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
        return [name for name in files if name != "terminal"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            known = self.list_commands(ctx)
            near = did_you_mean(args[0], known)
            ctx.fail(f"there is no command {args[0]!r}{near}; there are {', '.join(known)}")

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's, but whatever goes wrong is reported in one line. Never returns."""
        words = (args[0] if args else extra.get("args")) or sys.argv[1:]
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except _PipeClosed:
            code = PIPE_CLOSED
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            code = _refuse(error.format_message(), error.exit_code, words)
        except ResnetEdgeError as error:
            code = _refuse(str(error), error.exit_code, words)
        except Exception as error:  # the border: a bug of ours, and even so no traceback
            if os.environ.get(DEBUG):
                raise
            text = f"{type(error).__name__}: {error}: a bug of resnet-edge, please report it"
            code = _refuse(f"{text} ({DEBUG}=1 shows where)", EXIT_COULD_NOT, words)
        last_words()
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click's; --help and --version write here."""
        with _written():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _written(), interruptible():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:  # in the very moment in which interruptible begins or ends
            raise Interrupted(NOTHING_LEFT) from error


class _PipeClosed(Exception):
    """Who reads what we write has seen enough (`| head`): no error, and nothing to tell."""


@contextmanager
def _written() -> Iterator[None]:
    """Within, an OSError is one of stdout or stderr: all else is reported where it happens."""
    try:
        yield
    except OSError as error:
        silence()
        if error.errno == errno.EPIPE:
            raise _PipeClosed from error
        raise OutputError(f"cannot write what was found: {error.strerror or error}") from error
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        silence()
        raise _PipeClosed from end  # rich.console.Console.on_broken_pipe exits with 1


def _refuse(message: str, code: int, words: Any) -> int:
    """Tell why it ended: one line on stderr, and with --json a document on stdout as well."""
    if "--json" in words:  # the options may be what is wrong: they need not have been read
        print_error_document(message, code)
    if code != EXIT_INTERRUPTED:
        annotate_error(message)
    fail(message)
    return code


@click.command(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="resnet-edge")
def main() -> None:
    """Keras image models to TFLite and ONNX files, each proved against its model.

    Begin with `resnet-edge convert MODEL --data PHOTOS`: PHOTOS is a folder with one folder of images for
    each class, and what it writes is what `verify`, `bench` and `package` take.
    """
