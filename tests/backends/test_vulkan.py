"""The loader is asked in processes of their own: it reads the environment, and what is loaded stays."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from resnet_edge.backends import _vulkan
from tests.backends import vulkan

ASK = """
import os, sys
from resnet_edge.backends import _vulkan
from resnet_edge.core.errors import DeviceUnavailable
{before}
try:
    for adapter in _vulkan.prepare():
        print(adapter.kind, adapter.name)
except DeviceUnavailable as error:
    print(error)
"""


def messages(before: str = "", environment: Mapping[str, str] | None = None) -> list[str]:
    clean = {"PATH": "/usr/bin:/bin", **(environment or {})}
    script = ASK.format(before=before)
    ended = subprocess.run([sys.executable, "-c", script], env=clean, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_every_adapter_has_a_name_and_a_kind_of_the_specification() -> None:
    for adapter in vulkan.needed():
        assert adapter.name.isprintable()
        assert adapter.name
        assert adapter.kind in range(5)  # VK_PHYSICAL_DEVICE_TYPE_OTHER to _CPU


def test_swiftshader_is_known_to_be_a_program() -> None:
    vulkan.needed()
    driver = _vulkan._in_a_browser(_vulkan.DRIVER)
    if driver is None:
        pytest.skip("no browser with SwiftShader: apt-get install chromium")
    (message,) = messages(environment={"VK_ICD_FILENAMES": str(driver)})
    kind, name = message.split(maxsplit=1)
    assert int(kind) == _vulkan.CPU
    assert "SwiftShader" in name


@pytest.mark.parametrize("variable", _vulkan.CHOICES)
def test_the_users_own_choice_of_drivers_is_not_replaced(variable: str) -> None:
    vulkan.needed()
    (message,) = messages(environment={variable: "/nowhere/icd.json"})
    assert message.startswith(f"Vulkan finds no GPU by {variable}=/nowhere/icd.json: ")
    assert "apt-get install" in message


def test_no_loader_at_all_is_told_with_the_way_out() -> None:
    (message,) = messages("_vulkan.LOADER, _vulkan.BROWSERS = 'libnowhere.so.1', ()")
    assert message.startswith("there is no Vulkan (libnowhere.so.1)")
    assert "apt-get install chromium" in message


def test_elsewhere_than_on_linux_the_runtime_is_left_to_itself() -> None:
    assert messages("sys.platform = 'darwin'") == []
