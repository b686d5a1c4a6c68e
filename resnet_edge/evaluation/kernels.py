"""Runs in the parent. Which backends run the same kernels: these round integers alike."""

from __future__ import annotations

from resnet_edge.core import registry
from resnet_edge.core.backend_name import runtime_of

XNNPACK, REFERENCE, ONNXRUNTIME = "xnnpack", "reference", "onnxruntime"


def kernels_of(backend: str) -> str:
    """Whose kernels a backend runs; its own name where they are its own."""
    runtime = runtime_of(backend)
    return registry.constant("backends", runtime, "KERNELS", runtime)


def with_kernels_of(backend: str) -> tuple[str, ...]:
    """The other backends that run the same kernels."""
    own, kernels = runtime_of(backend), kernels_of(backend)
    return tuple(name for name in registry.names("backends") if name != own and kernels_of(name) == kernels)
