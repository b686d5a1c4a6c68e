"""Names that options take, one by one or in one text with commas: each kind said once, in a type that a
signature has, and that `checked` holds values to before anything is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from resnet_edge.api.checked import AtLeast1, ValueRule
from resnet_edge.core import registry
from resnet_edge.core.backend_name import CPU, on_host, runtime_of, split_host
from resnet_edge.core.choices import choose
from resnet_edge.core.errors import UsageError
from resnet_edge.core.image_contract import contract
from resnet_edge.core.runtime_floor import RuntimeFloor, floors
from resnet_edge.hosts.address import Host
from resnet_edge.training.recipe import AUGMENTATIONS
from resnet_edge.workers.cluster.address import ClusterAddress

Words: TypeAlias = str | Iterable[str]
"""Names, one by one or in one text with commas."""
NOTHING = "none"
"""Where it is an answer to want none, it is said."""


def words(value: Words) -> tuple[str, ...]:
    """`"a, b"` and `["a", "b"]` are the same; each once. Raises UsageError where there is none, or an empty
    one."""
    parts = value.split(",") if isinstance(value, str) else tuple(value)
    names = tuple(dict.fromkeys(part.strip() for part in parts))
    if not any(names):
        raise UsageError("nothing is named: give at least one name, or leave the option out")
    if "" in names:
        raise UsageError(f"one of the names {', '.join(map(repr, names))} is empty: leave it out")
    return names


def backends(value: Words) -> tuple[str, ...]:
    """With or without `:device` and `@host`. Raises UnknownName, UsageError."""
    return tuple(dict.fromkeys(map(backend, words(value))))


def backend(value: str) -> str:
    """One of them. Raises UnknownName, UsageError."""
    here, host = split_host(value)
    name, colon, device = here.partition(":")
    known = registry.check("backends", name)
    if colon and not device:
        raise UsageError(f"{value!r} names no device: write it as {known}:cpu")
    if value != here:
        Host.parse(host)
    return on_host(f"{known}{colon}{device}", host)


def local_backend(value: str) -> str:
    """One of them, on this machine. Raises UnknownName, UsageError."""
    known = backend(value)
    if host := split_host(known)[1]:
        raise UsageError(
            f"{value!r} is on another machine, and this is measured here: name {runtime_of(known)} alone, or "
            f"time the result by `resnet-edge bench FILE --backends {runtime_of(known)}@{host}`"
        )
    return known


def scheme(value: str) -> str:
    """One. Raises UnknownName."""
    return registry.check("schemes", value)


def of_room(room: str) -> Callable[[Words], tuple[str, ...]]:
    """A function that gives names of files of a room, and raises UnknownName or UsageError."""
    return lambda value: tuple(dict.fromkeys(registry.check(room, name) for name in words(value)))


formats, schemes = of_room("formats"), of_room("schemes")


def profiles(value: Words) -> tuple[str, ...]:
    """The files of bundle/targets by the names that users give. Raises UnknownName, UsageError."""
    known = {registry.option_of(name): name for name in registry.names("bundle.targets")}
    return tuple(known[choose("profile", name, known)] for name in words(value))


def augmentations(value: Words) -> tuple[str, ...]:
    """There may be none. Raises UnknownName, UsageError."""
    return tuple(choose("augmentation", name, AUGMENTATIONS) for name in _words_or_none(value))


def layers(value: Words) -> tuple[str, ...]:
    """Names and globs, of which the model alone can tell more; there may be none. Raises UsageError."""
    return _words_or_none(value)


def _words_or_none(value: Words) -> tuple[str, ...]:
    """NOTHING and an empty list are none; an empty text says neither."""
    if not isinstance(value, str) and not [*value]:
        return ()
    return () if words(value) == (NOTHING,) else words(value)


def runtimes(value: Words) -> tuple[RuntimeFloor, ...]:
    """The oldest runtimes; there may be none. Raises UsageError."""
    text = value if isinstance(value, str) else ",".join(value)
    return floors(text) if text else ()


def class_names(value: str | Path | Sequence[str]) -> None:
    """Raises UsageError where names, and no file of them, are none, or one says nothing."""
    if isinstance(value, str | Path):
        return
    if not len(value):
        raise UsageError("no class is named: give a name for each, or leave the option out")
    empty = next((number for number, name in enumerate(value) if not name.strip()), None)
    if empty is not None:
        raise UsageError(f"class {empty} has an empty name: name every class")


def _resize(value: str | Path) -> None:
    """Whether photos can be resized so."""
    contract(str(value), 1, 1, 3)


def cluster(value: str) -> str:
    """Raises UsageError."""
    return ClusterAddress.parse(value).word


def check_on_cluster(named: str | None, backends: Iterable[str]) -> None:
    """Raise UsageError where a cluster is named, and one of `backends` cannot run on any of its machines."""
    for one in backends if named is not None else ():
        here, host = split_host(one)
        runtime, _, device = here.partition(":")
        if host:
            raise UsageError(
                f"{one} is on {host}, and --cluster {named} finds the machines itself: name {here} alone, "
                "or leave out --cluster"
            )
        if device not in ("", CPU):
            raise UsageError(
                f"{one} needs one machine with that device, and --cluster {named} shares work out to "
                f"processors: prove it there, over ssh, as {on_host(here, 'HOST')}, or leave out --cluster"
            )
        if registry.constant("backends", runtime, "IN_BROWSER", False):
            raise UsageError(
                f"{one} runs in a browser, in one piece, and --cluster {named} shares shards out: leave "
                "out one of the two"
            )


DeviceCount: TypeAlias = AtLeast1 | Literal["all"]
Formats: TypeAlias = Annotated[Words, ValueRule(formats)]
Schemes: TypeAlias = Annotated[Words, ValueRule(schemes)]
Backends: TypeAlias = Annotated[Words, ValueRule(backends)]
Backend: TypeAlias = Annotated[str, ValueRule(local_backend)]
Scheme: TypeAlias = Annotated[str, ValueRule(scheme)]
Profiles: TypeAlias = Annotated[Words, ValueRule(profiles)]
Augmentations: TypeAlias = Annotated[Words, ValueRule(augmentations)]
Layers: TypeAlias = Annotated[Words, ValueRule(layers)]
Cluster: TypeAlias = Annotated[str, ValueRule(cluster)]
Runtimes: TypeAlias = Annotated[Words, ValueRule(runtimes)]
Resize: TypeAlias = Annotated[str | Path, ValueRule(_resize)]
ClassNames: TypeAlias = Annotated[str | Path | Sequence[str], ValueRule(class_names)]
