"""The other end of core.worker: reads calls from stdin, answers on what was stdout."""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import resource
import sys
import traceback
from typing import IO, Any, get_type_hints

import msgspec

from resnet_edge.core.errors import OutputError, ResnetEdgeError
from resnet_edge.core.progress import Progress
from resnet_edge.core.worker import Message


def main() -> None:
    """Serve calls until stdin closes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # from here on, whatever anybody prints goes to the log
    sys.stdout = sys.stderr
    for line in sys.stdin.buffer:
        _send(answers, _answer(line, answers))


def _answer(line: bytes, answers: IO[bytes]) -> Message:
    def report(progress: Progress) -> None:
        _send(answers, Message(progress=progress))

    try:
        call = msgspec.json.decode(line)
        module, _, name = call["function"].partition(":")
        function = getattr(importlib.import_module(module), name)
        request_type = get_type_hints(function)[next(iter(inspect.signature(function).parameters))]
        request = msgspec.convert(call["request"], type=request_type)
        return Message(reply=function(request, report))
    except ResnetEdgeError as error:
        traceback.print_exc()
        return Message(error=type(error).__name__, text=str(error))
    except OSError as error:
        traceback.print_exc()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = error.filename or "the disk"
            return Message(error=OutputError.__name__, text=f"no space left for {where}: free some and run again")
        return Message(crash=f"{type(error).__name__}: {error}")
    except Exception as error:  # the border: a crash is told to the parent, not swallowed
        traceback.print_exc()
        return Message(crash=f"{type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]


def _send(answers: IO[bytes], message: Message) -> None:
    message.peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answers.write(msgspec.json.encode(message, enc_hook=_plain) + b"\n")
    answers.flush()


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # a numpy scalar
        return value.item()
    raise TypeError(f"cannot send a {type(value).__name__} to the parent")


if __name__ == "__main__":
    main()
