"""Names of machines."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.hosts.address import Host


@pytest.mark.parametrize(
    ("name", "destination", "port"),
    [
        ("pi4", "pi4", ""),
        ("pi@192.168.0.7", "pi@192.168.0.7", ""),
        ("pi@192.168.0.7:2222", "pi@192.168.0.7", "2222"),
        ("pi@[fe80::1%eth0]:22", "pi@fe80::1%eth0", "22"),
        ("[::1]", "::1", ""),
    ],
)
def test_a_host_is_a_name_or_an_address(name: str, destination: str, port: str) -> None:
    assert Host.parse(name) == Host(name=name, destination=destination, port=port)


@pytest.mark.parametrize(
    "name",
    ["", "-oProxyCommand=touch x", "pi@-oProxyCommand=x", "a b", "x:0", "x:99999", "x:", "@pi", "a/b", "a\n"],
)
def test_what_is_no_host_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"names no host: give a name of your ssh configuration"):
        Host.parse(name)
