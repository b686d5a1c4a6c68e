"""The error tree, and the exit code of each kind.

ResnetEdgeError                exit 3   could not be done; the message says how to fix it
├─ UsageError                  exit 2   the command line itself is wrong
├─ UnknownName                 exit 2   a name that is not on the list; the list is shown
├─ MissingDependency                    an extra that is not installed
├─ DeviceUnavailable                    a device that is not there
├─ HostUnavailable                      a machine that is not reached, or cannot do it
├─ ClusterUnavailable                   a cluster that is not reached, or runs other code
├─ ModelError                           the model cannot be read or is not an image classifier
├─ DataError                            the data cannot be read or does not fit
├─ ArtifactError                        a TFLite or ONNX file that cannot be read or written
├─ UnsupportedScheme                    a format that does not offer the scheme
├─ OutOfReach                           a target that no network meets
├─ OutputError                          the output folder or the disk
├─ PeerLost                             another process of the same training failed or went away
└─ WorkerFailed                         a worker process died or broke; its log is named
"""

from __future__ import annotations

import re

from resnet_edge.core.printable import one_line

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_COULD_NOT = 3
EXIT_FAILED_PROOF = 4
EXIT_INCONCLUSIVE = 5
EXIT_INTERRUPTED = 130


class ResnetEdgeError(Exception):
    """Something could not be done; the message is one line that says how to fix it.

    Names in it are those of users and of files: whatever they hold, it shows as text."""

    exit_code = EXIT_COULD_NOT

    # Not when it is made: TensorFlow raises an error of traced code anew as its own class only where that has
    # the __init__ of Exception (tensorflow/python/autograph/pyct/error_utils.py).
    def __str__(self) -> str:
        return one_line(super().__str__())


class UsageError(ResnetEdgeError):
    """The command line itself is wrong."""

    exit_code = EXIT_USAGE


class UnknownName(ResnetEdgeError):
    """A name that is not one of the choices."""

    exit_code = EXIT_USAGE


class MissingDependency(ResnetEdgeError):
    """An optional package is not installed; the message names the extra."""


class DeviceUnavailable(ResnetEdgeError):
    """The device asked for is not there."""


class HostUnavailable(ResnetEdgeError):
    """A machine that is not reached over ssh, went away, or lacks what it takes; the message names it."""


class ClusterUnavailable(ResnetEdgeError):
    """A cluster that is not reached, went away, or runs other code than this machine; the message names
    it."""


class ModelError(ResnetEdgeError):
    """The model cannot be read, or it is not an image classifier."""


class DataError(ResnetEdgeError):
    """The data cannot be read, or it does not fit the model."""


class ArtifactError(ResnetEdgeError):
    """A TFLite or ONNX file cannot be read or written."""


class UnsupportedScheme(ResnetEdgeError):
    """The format does not offer this scheme."""


class OutOfReach(ResnetEdgeError):
    """A target that cannot be met; the message says what can."""


class OutputError(ResnetEdgeError):
    """The output folder cannot be written."""


class PeerLost(ResnetEdgeError):
    """Another process that takes part in the same training failed, or went away."""


class WorkerFailed(ResnetEdgeError):
    """A worker process died or broke."""


KINDS: dict[str, type[ResnetEdgeError]] = {
    ResnetEdgeError.__name__: ResnetEdgeError,
    **{kind.__name__: kind for kind in ResnetEdgeError.__subclasses__()},
}
"""Every kind by name: how an error crosses from a worker to the parent."""


_STYLE = re.compile(r"\x1b\[[0-9;]*m|\{\{function_node \S+\}\} ?| ?\[Op:\w+\](?: name:)?")
"""Of terminals, and where TensorFlow ran an operation, which tells users nothing."""
_CAUSE, _CALLING, _IN_USER_CODE = (
    "Exception encountered:",
    "Exception encountered when calling",
    "in user code:",
)
_EXAMPLE = "Example error message for object"
_RAISED = re.compile(r"(\w+\.)*\w+(Error|Exception): .")


def first_line(error: BaseException) -> str:
    """The line of a library's message that tells the reason, or the kind of error where it has none; cut to
    300 characters, and without an end that sentences do not need.

    That is the first line, but for Keras: it puts a config, at length, or the name of a call before the
    reason, and TensorFlow's AutoGraph a traceback.
    """
    lines = [line for line in (_STYLE.sub("", line).strip() for line in str(error).splitlines()) if line]
    for index, line in enumerate(lines[:-1]):
        if _EXAMPLE in line:  # of several things that broke; how many is no reason
            lines = lines[index + 1 :]
            break
    causes = [index for index, line in enumerate(lines) if line.startswith(_CAUSE)]
    lines = lines[causes[0] :] if causes else lines
    lines[:1] = [line for first in lines[:1] if (line := first.removeprefix(_CAUSE).strip())]
    calling = ""
    while len(lines) > 1 and lines[0].startswith(_CALLING):
        calling = lines.pop(0).rstrip(".") + ": "  # the innermost call is the last
    if len(lines) > 1 and lines[0] == _IN_USER_CODE:
        lines = [line for line in lines if _RAISED.match(line)][:1] or lines[1:]
    return (calling + next(iter(lines), type(error).__name__))[:300].rstrip(".")
