"""Devices, as a backend is asked for them and as a runtime names them."""

from __future__ import annotations

_SOFTWARE = "-software"


def as_software(device: str) -> str:
    """What a session calls a device that a program imitates: a GPU of software Vulkan (SwiftShader,
    lavapipe). Its numbers can be proved; its latency says nothing about a GPU."""
    return device + _SOFTWARE


def is_software(device: str) -> bool:
    """Whether a session that names this device runs on an imitation."""
    return device.endswith(_SOFTWARE)


def untimed(backend: str, device: str) -> str:
    """Why nothing is timed on an imitation."""
    real = device.removesuffix(_SOFTWARE)
    return (
        f"the {real} of {backend} is imitated by a program here: its numbers can be proved, and its latency "
        f"says nothing about a {real}; time it on a machine that has one"
    )
