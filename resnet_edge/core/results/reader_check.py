"""How the reader of the reference was checked against another loader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReaderCheck:
    """The outputs of the model that we read differ from those of the one that `loader` reads of the same
    file by at most `difference` of the largest, on `images`, where rounding explains `allowed`. `missing`
    says why there is no other loader; with neither, the model is no file, and is its own witness."""

    loader: str = ""
    images: int = 0
    difference: float = 0.0
    allowed: float = 0.0
    missing: str = ""

    @property
    def note(self) -> str:
        """What a report must say; "" where the reader was checked, or nothing was read."""
        return f"the reference has no second witness: {self.missing}" if self.missing else ""
