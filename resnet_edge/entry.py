"""The first lines of the program: signals and descriptors, before anything is imported.

`resnet-edge` and `python -m resnet_edge` begin here. Python's own start-up, some 30 ms before the first of
these lines, is out of reach: Ctrl-C in it is answered by Python.
"""

from __future__ import annotations

import os
import sys
from _signal import (  # type: ignore[import-not-found]  # `signal` imports for milliseconds
    SIG_BLOCK,
    SIG_IGN,
    SIGHUP,
    SIGINT,
    SIGTERM,
    getsignal,
    pthread_sigmask,
    signal,
)

_SIGNALS = (SIGINT, SIGHUP, SIGTERM)
_INTERRUPTED = 130  # core.errors, which is not imported yet
_MESSAGE = "interrupted; nothing half-written is left"


def leave(number: int, frame: object) -> None:
    """A handler for as long as nothing has begun, and there is nothing to clean up: tell it and end."""
    if "--json" in sys.argv:
        _write(1, f'{{\n  "error": "{_MESSAGE}",\n  "exit_code": {_INTERRUPTED}\n}}\n')
    _write(2, f"error: {_MESSAGE}\n")
    os._exit(_INTERRUPTED)


def main() -> None:
    """Run the program. Never returns."""
    # One that is ignored (nohup) stays ignored.
    heeded = [number for number in _SIGNALS if getsignal(number) != SIG_IGN]
    for number in heeded:
        signal(number, leave)
    try:
        _open_descriptors()
        from resnet_edge.cli import main as program

        program(prog_name="resnet-edge")
    finally:  # all is done and told: an interrupt would hit the end of the interpreter
        for number in heeded:
            signal(number, SIG_IGN)
        # Where a KeyboardInterrupt once passed through exec(), as in the making of a dataclass, CPython ends
        # by sending itself SIGINT, caught or not, and not with our exit code (exit_sigint in Modules/main.c).
        pthread_sigmask(SIG_BLOCK, [SIGINT])


def _open_descriptors() -> None:
    """Stand in for standard descriptors that are closed: the first files that are opened would become them,
    and be read and written as such by whoever believes in stdout."""
    for number, mode in enumerate(("r", "w", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(opened, True)
        name = ("stdin", "stdout", "stderr")[number]
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as Python's own
            setattr(sys, name, stream)


def _write(descriptor: int, text: str) -> None:
    try:  # noqa: SIM105 - contextlib is not imported yet
        os.write(descriptor, text.encode())
    except OSError:  # nobody is there to be told
        pass
