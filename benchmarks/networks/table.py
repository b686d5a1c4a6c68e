"""What came of the networks, as a table with notes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.results import markdown_table

COLUMNS = {
    "convert": "`convert`",
    "verify": "`verify`",
    "channel": "`prune --method channel`",
    "magnitude": "`prune --method magnitude`",
    "qat": "`qat`",
}


def table(result: dict[str, Any]) -> str:
    """A row for each network, a column for each command; below, why a command did not do it."""
    rows: dict[str, dict[str, dict[str, Any]]] = {network: {} for network in result["networks"]}
    for one in result["outcomes"]:
        rows[one["network"]][one["command"]] = one
    notes: dict[str, int] = {}
    lines = [
        [f"`{network}`", *(_cell(by_command.get(command), notes) for command in COLUMNS)]
        for network, by_command in rows.items()
    ]
    seen = Counter(one["result"] for one in result["outcomes"])
    count = ", ".join(f"{seen[name]} {name}" for name in ("yes", "refused", "fails", "breaks") if seen[name])
    below = [f"{number}. {_escaped(why)}" for why, number in notes.items()]
    return "\n".join(
        [
            markdown_table(["network", *COLUMNS.values()], lines, words=len(COLUMNS) + 1),
            "",
            f"Of {len(result['outcomes'])} cells that were run: {count}.",
            *(["", *below] if below else []),
        ]
    )


def _cell(one: dict[str, Any] | None, notes: dict[str, int]) -> str:
    if one is None:
        return "not run"
    if one["result"] == "yes":
        return f"yes, {one['left']:.2f}x" if one["left"] else "yes"
    number = notes.setdefault(one["why"], len(notes) + 1)
    return f"{one['result']} ({number})"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")
