"""What a delegate or an accelerator takes of a model file, as far as it can be told without the device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["documented", "measured", "estimated"]
Fact = float | str


@dataclass(frozen=True)
class LeftOp:
    """Operations that stay on the CPU: how many of the kind `op`, and one reason for all of them."""

    op: str
    count: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What one delegate takes of one file.

    `kind`: *documented* follows the rules in a public document or source; *measured* is what the runtime did
    on this machine; *estimated* is what a vendor's compiler computes. `source` names the document, or the
    tool with its version. `date`, in ISO form, is the day on which the document was read; it is empty where
    a version of a tool tells it all. `mac_share` is the part, 0 to 1, of the multiply-accumulates that it
    takes; None where there are none to count. `left` are the operations that it leaves to the CPU.
    `warnings` are sentences about what it takes and does wrong, `facts` further figures, with their unit in
    the key, and `sentence` says it all in one line.
    """

    delegate: str
    title: str
    kind: Kind
    date: str
    source: str
    ops_taken: int
    ops_total: int
    mac_share: float | None
    left: tuple[LeftOp, ...]
    sentence: str
    warnings: tuple[str, ...] = ()
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class FileOutlook:
    """What a delegate takes of a file of a bundle; where it could not be told, `outlook` is None and `reason`
    a sentence."""

    file: str
    delegate: str
    outlook: Outlook | None
    reason: str = ""
