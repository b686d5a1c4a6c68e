"""What `doctor` finds out, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from resnet_edge.core.errors import EXIT_COULD_NOT, EXIT_DONE

Status = Literal["opens", "not here", "not installed", "broken"]


@dataclass(frozen=True, kw_only=True)
class DeviceState:
    """Whether a backend opens on a device. `device` is what the runtime says where it opens,
    else what was asked for; `detail` is one line for people. `logits` are what it gave for one image of
    a network whose answer is known, and `first_ms` how long that first inference took."""

    device: str
    status: Status
    detail: str = ""
    logits: tuple[float, ...] = ()
    first_ms: float | None = None


@dataclass(frozen=True)
class BackendState:
    """What one backend does here; `version` is empty where it is not installed."""

    backend: str
    version: str
    devices: tuple[DeviceState, ...]

    @property
    def healthy(self) -> bool:
        """It opens on a device and breaks on none, or the user does not have it."""
        statuses = {state.status for state in self.devices}
        return statuses == {"not installed"} or ("opens" in statuses and "broken" not in statuses)


@dataclass(frozen=True, kw_only=True)
class SandboxState:
    """What holds a worker that reads untrusted files: `files` and `network` say so for people. `detail`: why
    not, where something does not."""

    files: str
    network: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that `resnet-edge doctor` found. `sandbox` is what holds the workers that read files; `host`
    the machine, empty for this one."""

    machine: dict[str, Any]
    versions: dict[str, str]
    backends: tuple[BackendState, ...]
    sandbox: SandboxState
    host: str = ""

    @property
    def exit_code(self) -> int:
        """0 where every installed backend opens."""
        return EXIT_DONE if all(backend.healthy for backend in self.backends) else EXIT_COULD_NOT
