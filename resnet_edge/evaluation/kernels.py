"""Runs in the parent. Which backends run the same kernels: these round integers alike."""

from __future__ import annotations

from resnet_edge.core import registry

XNNPACK, REFERENCE, ONNXRUNTIME = "xnnpack", "reference", "onnxruntime"


def kernels_of(backend: str) -> str:
    """Whose kernels a backend runs; its own name where they are its own."""
    return registry.constant("backends", backend, "KERNELS", backend)


def with_kernels_of(backend: str) -> tuple[str, ...]:
    """The other backends that run the same kernels."""
    kernels = kernels_of(backend)
    return tuple(
        name for name in registry.names("backends") if name != backend and kernels_of(name) == kernels
    )
