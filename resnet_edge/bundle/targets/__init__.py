"""Profiles: what one kind of app takes. One file each, named like the option value of `package --profiles`
(which has hyphens for underscores).

A profile is a module with

- `TITLE`: whom it is for, in a few words;
- `FORMAT`: the format of its files;
- `SCHEMES`: the schemes that it takes, in the order in which a reader should look at them;
- `ON_REQUEST`: those that it takes as well where they are named, or nothing else was converted;
- `ON_GPU`: those with the floats that a phone's GPU computes with (docs/bench.md tells what it makes of
  integers);
- `METADATA`: whether its files tell apps of themselves (TFLite metadata);
- `CHANNELS`: how many channels its files may take, None for any number;
- `PHONES`: whether its files are for phones, among others;
- `runtimes(scheme)`: the backends that its files are to open in, the first of which others are compared with
  to the bit;
- `PINNED`: the pinned runtimes (backends that are files of data) that such apps may have, by what stands
  before the @: those that are installed are tried as well, and the oldest that is right is told;
- `border(scheme, head)`: the `graph.io_adapter.Border` around the network, None where the bytes that
  `convert` proved stay as they are;
- `variants(model)`: the same network written in other ways, from a model file and beside it;
- `companions(model, name)`: texts that go beside a model file, by file name;
- `delegates(scheme)`: the delegates that such an app may use, whose outlook goes into the bundle.

A runtime that does not open a file is told in the bundle and not claimed (bundle/package.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from resnet_edge.core.head import Head
from resnet_edge.graph.io_adapter import Border


@dataclass(frozen=True)
class Variant:
    """A file that was made from another one: `changes` says in sentences what is different."""

    path: Path
    changes: tuple[str, ...]
    companions: dict[str, str]


class DeliveryProfile(Protocol):
    """What a module in this folder offers."""

    TITLE: str
    FORMAT: str
    SCHEMES: tuple[str, ...]
    ON_REQUEST: tuple[str, ...]
    ON_GPU: tuple[str, ...]
    METADATA: bool
    CHANNELS: tuple[int, ...] | None
    PHONES: bool
    PINNED: tuple[str, ...]

    def runtimes(self, scheme: str) -> tuple[str, ...]: ...

    def border(self, scheme: str, head: Head) -> Border | None: ...

    def variants(self, model: Path) -> tuple[Variant, ...]: ...

    def companions(self, model: Path, name: str) -> dict[str, str]: ...

    def delegates(self, scheme: str) -> tuple[str, ...]: ...
