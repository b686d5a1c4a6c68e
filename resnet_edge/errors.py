"""The errors that the functions of `resnet_edge` raise: one tree, see `core/errors.py`."""

from resnet_edge.core.errors import (
    ArtifactError,
    ClusterUnavailable,
    DataError,
    DeviceUnavailable,
    HostUnavailable,
    MissingDependency,
    ModelError,
    OutOfReach,
    OutputError,
    PeerLost,
    ResnetEdgeError,
    UnknownName,
    UnsupportedScheme,
    UsageError,
    WorkerFailed,
)

__all__ = [
    "ArtifactError",
    "ClusterUnavailable",
    "DataError",
    "DeviceUnavailable",
    "HostUnavailable",
    "MissingDependency",
    "ModelError",
    "OutOfReach",
    "OutputError",
    "PeerLost",
    "ResnetEdgeError",
    "UnknownName",
    "UnsupportedScheme",
    "UsageError",
    "WorkerFailed",
]
