"""What came of the photos, as tables."""

from __future__ import annotations

from typing import Any

from resnet_edge.report import words

NAMES = {"cells": "ResNet-18", "half_qat": "half of the MACs, and `qat`"}


def table(result: dict[str, Any]) -> str:
    """A row for each network and file: what it weighs, what it answers, and how fast it is."""
    lines = [
        "| network | file | size | top-1 % | drop, pp [95 %] | verdict | of fp32's time |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for network, rows in result["files"].items():
        lines += [_row(NAMES[network], row) for row in rows]
    return "\n".join([*lines, "", *_networks(result["steps"])])


def _row(network: str, row: dict[str, Any]) -> str:
    low, high = row["drop_ci95_pp"]
    drop = f"{row['drop_pp']:.2f} [{low:.2f}, {high:.2f}]"
    top1, ratio = words.percent(row["top1"], row["n"]), row["of_float"]
    cells = (
        network,
        f"`{row['scheme']}` {row['format']}",
        words.size(row["size_bytes"]),
        top1.removesuffix(" %"),
        drop.replace("-", words.MINUS),
        row["verdict"],
        words.ABSENT if ratio is None else f"{ratio:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _networks(steps: list[dict[str, Any]]) -> list[str]:
    """What each step did to the network, before it was converted."""
    lines = ["| step | parameters | MACs | top-1 % | minutes |", "| --- | ---: | ---: | ---: | ---: |"]
    for step in steps:
        after = step["after"]
        top1 = words.percent(after["top1"], after["n"]).removesuffix(" %")
        on = f" on {after['images']}" if after["images"] else ""
        lines.append(
            f"| {step['title']} | {words.quantity(after['parameters'])} | {words.quantity(after['macs'])} "
            f"| {top1}{on} | {step['seconds'] / 60:.1f} |"
        )
    return lines
