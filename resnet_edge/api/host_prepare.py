"""`resnet_edge.host_prepare`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from resnet_edge.api.checked import ValueRule, checked
from resnet_edge.api.names import Words, words
from resnet_edge.api.reports import HostPrepareReport, extended
from resnet_edge.core import registry
from resnet_edge.hosts import requirements
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.prepare import prepare
from resnet_edge.workers.progress import OnProgress, Progress, silent
from resnet_edge.workers.variables import check_variables

_STEPS = {
    "look": "look at the host",
    "wheels": "wheels of the host, from pip's registry",
    "copy": "copy to the host, bytes",
    "install": "install on the host",
}


def carried(value: Words) -> tuple[str, ...]:
    """Backends that can be brought to a host, `name` or `name:device`. Raises UsageError, UnknownName,
    MissingDependency."""
    backends = []
    for word in words(value):
        name, colon, device = word.partition(":")
        backends.append(f"{registry.check('backends', name)}{colon}{device}")
    requirements.read().of_backends(tuple(backends))
    return tuple(dict.fromkeys(backends))


CarriedBackends: TypeAlias = Annotated[Words, ValueRule(carried)]


@checked
def host_prepare(
    host: str, *, backends: CarriedBackends = ("litert", "onnxruntime"), on_progress: OnProgress = silent
) -> HostPrepareReport:
    """Make the runtime-only environment on another machine, reached over ssh, without root and without a
    network there: this package, what it needs, and the runtimes of `backends`, each in the version that is
    installed here (`onnxruntime:cuda`: onnxruntime-gpu, of that release or the newest before it). One that is
    there already stays as it is. Raises UsageError, UnknownName, MissingDependency, HostUnavailable,
    OutputError.
    """
    check_variables()
    running = ""

    def on_step(key: str, done: int, total: int) -> None:
        nonlocal running
        if running not in ("", key):
            on_progress(Progress(step=_STEPS[running], done=1, total=1))
        running = "" if 0 < total <= done else key
        on_progress(Progress(step=_STEPS[key], done=done, total=total))

    report = prepare(Host.parse(host), carried(backends), on_step)
    if running:
        on_progress(Progress(step=_STEPS[running], done=1, total=1))
    return extended(HostPrepareReport, report)
