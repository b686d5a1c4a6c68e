"""How a cluster is named: `ray`, `ray:HOST:PORT`, `ray://HOST:PORT`."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.errors import UsageError

_CHOICES = (
    "say ray (the cluster that this machine is part of), ray:HOST:PORT (its address, as `ray start --head` "
    "prints it) or ray://HOST:PORT (the port of Ray Client, from a machine outside)"
)


@dataclass(frozen=True, kw_only=True)
class ClusterAddress:
    """`word` is what the user said, `address` what ray.init takes. `host` and `port` are empty and 0 where
    Ray is to find the cluster itself: by RAY_ADDRESS, or the one that was started on this machine last."""

    word: str
    address: str
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, word: str) -> ClusterAddress:
        """Raises UsageError."""
        if word == "ray":
            return cls(word=word, address="auto")
        scheme, colon, rest = word.partition(":")
        if scheme != "ray" or not colon:
            raise UsageError(f"{word!r} names no cluster that is known here: {_CHOICES}")
        host, _, port = rest.removeprefix("//").rpartition(":")
        if not host or "/" in host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise UsageError(f"{word!r} has no HOST:PORT behind {scheme!r}: {_CHOICES}")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            # Else the end of an address whose port is missing would be taken for one.
            raise UsageError(
                f"{word!r} has colons in its HOST: an IPv6 address is in brackets, as in [::1]:6379"
            )
        address = word if rest.startswith("//") else rest
        return cls(word=word, address=address, host=host.strip("[]"), port=int(port))

    @property
    def is_client(self) -> bool:
        """Whether it goes through the port of Ray Client, from outside of the cluster."""
        return self.address.startswith("ray://")
