"""Which GPUs there are for Vulkan, and a program that imitates one where there is none.

Asks the Vulkan loader itself: `vkEnumeratePhysicalDevices`, and the `deviceType` of
`VkPhysicalDeviceProperties`, which is VK_PHYSICAL_DEVICE_TYPE_CPU = 4 for a driver that computes on the
processor (Vulkan 1.3 specification, chapters 5.1 and 41.1, and vulkan_core.h for the layout).

The imitation is SwiftShader, which Debian's and Google's browsers bring with a loader of their own. Mesa's
lavapipe 22.3 will not do: LiteRT wants `shaderUniform*ArrayDynamicIndexing` of it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import DeviceUnavailable

LOADER = "libvulkan.so.1"
DRIVER = "vk_swiftshader_icd.json"
BROWSERS = (
    "/usr/lib/chromium",  # Debian
    "/usr/lib64/chromium-browser",  # Fedora
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
)
CHOICES = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
"""Variables that tell the loader which drivers to take (its LoaderInterfaceArchitecture.md)."""
FIX = "apt-get install chromium brings a software Vulkan, which is enough to prove numbers"

CPU = 4
SUCCESS = 0
INSTANCE_CREATE_INFO = 1


@dataclass(frozen=True)
class Adapter:
    """A physical device of Vulkan; `kind` is its VkPhysicalDeviceType."""

    name: str
    kind: int

    @property
    def is_software(self) -> bool:
        """Whether a program imitates it."""
        return self.kind == CPU


class _InstanceCreateInfo(ctypes.Structure):
    """VkInstanceCreateInfo, without an application, layers and extensions."""

    _fields_ = (
        ("kind", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.c_void_p),
        ("layer_count", ctypes.c_uint32),
        ("layers", ctypes.c_void_p),
        ("extension_count", ctypes.c_uint32),
        ("extensions", ctypes.c_void_p),
    )


class _Properties(ctypes.Structure):
    """The beginning of VkPhysicalDeviceProperties, and room for its rest (560 bytes by the specification)."""

    _fields_ = (
        ("versions_and_ids", ctypes.c_uint32 * 4),
        ("kind", ctypes.c_int32),
        ("name", ctypes.c_char * 256),
        ("rest", ctypes.c_uint8 * 2048),
    )


def prepare() -> tuple[Adapter, ...]:
    """What a Vulkan application of this process will find; real GPUs, or else what imitates one.

    Where there is no GPU, and the user chose no driver, SwiftShader is chosen for this process. Nothing
    is looked for outside of Linux: there the GPU speaks Metal or Direct3D. Raises DeviceUnavailable.
    """
    if sys.platform != "linux":
        return ()
    loader = _loader()
    adapters = _adapters(loader)
    chosen = next((name for name in CHOICES if os.environ.get(name)), None)
    if (
        chosen is None
        and all(adapter.is_software for adapter in adapters)
        and (driver := _in_a_browser(DRIVER))
    ):
        os.environ["VK_ICD_FILENAMES"] = str(driver)  # the loader reads it whenever an instance is made
        adapters = _adapters(loader)
    if not adapters:
        here = f" by {chosen}={os.environ[chosen]}" if chosen else ""
        raise DeviceUnavailable(f"Vulkan finds no GPU{here}: {FIX}")
    return adapters


def _loader() -> ctypes.CDLL:
    """The system's loader, else that of a browser. Whoever asks the dynamic linker for LOADER later on gets
    the one that is loaded now, by its name."""
    for path in filter(None, (LOADER, _in_a_browser(LOADER))):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    raise DeviceUnavailable(f"there is no Vulkan ({LOADER}), and so no GPU: {FIX}")


def _in_a_browser(name: str) -> Path | None:
    paths = (Path(folder, name) for folder in BROWSERS)
    return next((path for path in paths if path.is_file()), None)


def _adapters(loader: ctypes.CDLL) -> tuple[Adapter, ...]:
    """The physical devices; none where no driver works."""
    instance = ctypes.c_void_p()
    wanted = _InstanceCreateInfo(kind=INSTANCE_CREATE_INFO)
    if loader.vkCreateInstance(ctypes.byref(wanted), None, ctypes.byref(instance)) != SUCCESS:
        return ()
    try:
        count = ctypes.c_uint32()
        loader.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
        devices = (ctypes.c_void_p * count.value)()
        loader.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices)
        return tuple(_adapter(loader, ctypes.c_void_p(device)) for device in devices[: count.value])
    finally:
        loader.vkDestroyInstance(instance, None)


def _adapter(loader: ctypes.CDLL, device: ctypes.c_void_p) -> Adapter:
    properties = _Properties()
    loader.vkGetPhysicalDeviceProperties(device, ctypes.byref(properties))
    return Adapter(properties.name.decode("utf-8", "replace"), properties.kind)
