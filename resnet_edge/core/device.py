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
