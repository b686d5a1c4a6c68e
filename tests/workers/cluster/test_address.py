from __future__ import annotations

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.workers.cluster.address import ClusterAddress


def test_ray_alone_is_the_cluster_that_runs_here() -> None:
    assert ClusterAddress.parse("ray") == ClusterAddress(word="ray", address="auto")


@pytest.mark.parametrize(
    ("word", "address", "host", "port"),
    [
        ("ray:head:6379", "head:6379", "head", 6379),
        ("ray:192.0.2.7:1", "192.0.2.7:1", "192.0.2.7", 1),
        ("ray:[2001:db8::1]:6379", "[2001:db8::1]:6379", "2001:db8::1", 6379),
        ("ray://head:10001", "ray://head:10001", "head", 10001),
    ],
)
def test_an_address(word: str, address: str, host: str, port: int) -> None:
    known = ClusterAddress.parse(word)
    assert (known.address, known.host, known.port) == (address, host, port)
    assert known.is_client == word.startswith("ray://")


@pytest.mark.parametrize(
    "word",
    ["", "dask", "dask://head:8786", "rayon", "ray:", "ray://", "ray:head", "ray:head:", "ray:head:0",
     "ray:head:65536", "ray:head:x", "ray://head:1/x", "ray::6379", "ray:head:١"],
)  # fmt: skip
def test_what_is_none_says_what_is(word: str) -> None:
    with pytest.raises(UsageError, match=r"ray:HOST:PORT .* ray://HOST:PORT"):
        ClusterAddress.parse(word)


@pytest.mark.parametrize("word", ["ray:::1:6379", "ray:2001:db8::1", "ray://2001:db8::1:10001", "ray:[::1:1"])
def test_an_ipv6_address_without_brackets_has_no_port_of_its_own(word: str) -> None:
    with pytest.raises(UsageError, match=r"an IPv6 address is in brackets, as in \[::1\]:6379"):
        ClusterAddress.parse(word)
