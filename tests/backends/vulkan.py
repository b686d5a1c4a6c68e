"""Whether this machine has a Vulkan device, be it an imitation: what tests of GPUs need."""

from __future__ import annotations

import pytest

from resnet_edge.backends import _vulkan
from resnet_edge.core.errors import DeviceUnavailable


def needed() -> tuple[_vulkan.Adapter, ...]:
    """The adapters; skips the test, with the reason, where there is none."""
    try:
        return _vulkan.prepare()
    except DeviceUnavailable as error:
        pytest.skip(str(error))
