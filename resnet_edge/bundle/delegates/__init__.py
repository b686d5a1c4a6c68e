"""Delegates and accelerators: what each takes of a model file, told without the device. One file each.

A delegate is a module with

- `TITLE`: its name for people;
- `FORMATS`: the formats that it is asked about (a frozenset of names);
- `SOURCE`: where its rules were read, with version or commit; for a tool, what it is;
- `outlook(path, format)`: a core.results.outlook.Outlook of the file. It raises ArtifactError where the
  file cannot be read or is not for this accelerator at all, and MissingDependency where a tool is
  not installed.

A rule looks at the operation, its options and its dtypes, and stands beside the source that it was read in.
What the source does not tell is left out of what is taken, and the reason says that it is not known: an
outlook promises too little rather than too much. Nothing here was seen on a phone.

`core.registry` finds it by its file name and `tests/contracts/test_delegates.py` tests it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resnet_edge.core.results.outlook import Outlook


class Delegate(Protocol):
    """What a module in this folder offers."""

    TITLE: str
    FORMATS: frozenset[str]
    SOURCE: str

    def outlook(self, path: Path, format: str) -> Outlook: ...
