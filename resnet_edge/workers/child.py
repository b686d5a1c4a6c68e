"""The other end of workers.process: takes calls from a socket and answers them in turn."""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import queue
import resource
import signal
import socket
import sys
import threading
import traceback
from typing import Any, get_type_hints

import msgspec

from resnet_edge.core.errors import MissingDependency, OutputError, ResnetEdgeError, first_line
from resnet_edge.core.packages import missing_package
from resnet_edge.workers import sandbox
from resnet_edge.workers.loop_time import ANNOUNCEMENTS
from resnet_edge.workers.process import Message
from resnet_edge.workers.progress import Progress

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage(2) of each system


def main() -> None:
    """Shut in, serve calls until the parent closes the socket or is gone.

    The arguments: `free`, or `alone` or `network` and the folders that it may write in; the socket.
    """
    _, may, *writes, socket_number = sys.argv
    del sys.argv[1:]
    if may != "free":  # before the first thread: those that are there already would stay as they are
        sandbox.shut_in(writes, network=may == "network")
    channel = _Channel(socket.socket(fileno=int(socket_number)))
    ANNOUNCEMENTS.send = lambda loop_time: channel.send(_encode(Message(loop=loop_time)))
    while True:
        channel.send(_answer(channel.calls.get(), channel))


class _Channel:
    """The socket to the parent. A thread reads it, so that the end of the parent is noticed
    in the middle of a call, however the parent ended."""

    def __init__(self, channel: socket.socket) -> None:
        channel.set_inheritable(False)
        self.calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._channel = channel
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: bytes) -> None:
        with self._sending:
            self._channel.sendall(message + b"\n")

    def _listen(self) -> None:
        try:
            for line in self._channel.makefile("rb"):
                self.calls.put(line)
        finally:
            # workers.process starts this process as the leader of its own group.
            os.killpg(os.getpid(), signal.SIGKILL)


def _answer(line: bytes, channel: _Channel) -> bytes:
    def report(progress: Progress) -> None:
        channel.send(_encode(Message(progress=progress)))

    try:
        return _encode(Message(reply=_run(line, report)))
    except Exception as error:  # the border: it is sent to the parent, not swallowed
        traceback.print_exc()
        return _encode(_as_message(error))


def _run(line: bytes, report: Any) -> Any:
    call = msgspec.json.decode(line)
    module, _, name = call["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    request_type = get_type_hints(function)[next(iter(inspect.signature(function).parameters))]
    return function(msgspec.convert(call["request"], type=request_type), report)


def _as_message(error: Exception) -> Message:
    if isinstance(error, ResnetEdgeError):
        return Message(error=type(error).__name__, text=str(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = error.filename or "the disk"
        return Message(error=OutputError.__name__, text=f"no space left for {where}: free some and run again")
    if isinstance(error, ModuleNotFoundError) and (text := missing_package(error.name)):
        return Message(error=MissingDependency.__name__, text=text)
    # TensorFlow's error of that name; no framework is imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        text = (
            f"not enough memory ({first_line(error)}): give a smaller model, or fewer or smaller images, or "
            "use a machine with more"
        )
        return Message(error=ResnetEdgeError.__name__, text=text)
    return Message(crash=f"{type(error).__name__}: {first_line(error)}")


def _encode(message: Message) -> bytes:
    used = resource.getrusage(resource.RUSAGE_SELF)
    message.peak_bytes = used.ru_maxrss * MAXRSS_UNIT
    message.cpu_seconds = round(used.ru_utime + used.ru_stime, 3)
    try:
        return msgspec.json.encode(message, enc_hook=_plain)
    except UnicodeEncodeError:  # a name that is not UTF-8, of which JSON cannot tell
        return msgspec.json.encode(_carried(msgspec.to_builtins(message, enc_hook=_plain)))


def _carried(value: Any) -> Any:
    """The value with what is no UTF-8 in its texts spelled as escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_carried(key): _carried(item) for key, item in value.items()}
    return [_carried(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if getattr(value, "ndim", None) == 0:  # a numpy scalar
        return value.item()
    raise TypeError(f"cannot send a {type(value).__name__} to the parent")


if __name__ == "__main__":
    main()
