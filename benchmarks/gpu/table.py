"""What came of the GPU rows, as tables; what a program imitated is called so, and has no latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.results import markdown_table
from resnet_edge.report import words

PLACES = {"gpu": "on a GPU", "software": "in software", "cpu": "on the CPU in its place", "": "not at all"}


def table(result: dict[str, Any]) -> str:
    """Parity, latency, the strided convolution, and what was not run."""
    rows = result["rows"]
    parts = [
        ("Parity with the model", parity(rows)),
        ("Latency", latency(rows)),
        ("Convolutions on LiteRT's GPU accelerator, against its CPU", strided(rows)),
        ("One epoch", training(rows)),
        ("Not run, or in part", why_not(rows)),
    ]
    gpus = ", ".join((*result["gpus"].get("nvidia", ()), *result["gpus"].get("vulkan", ()))) or "none"
    text = [f"GPUs: {gpus}. {summary(rows)}"]
    for title, part in parts:
        if part:
            text += ["", f"{title}:", "", part]
    return "\n".join(text)


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """How many rows ran where."""
    seen = Counter(row["ran_on"] for row in rows)
    parts = [f"{seen[place]} {word}" for place, word in PLACES.items() if seen[place] or place != "cpu"]
    return f"Of {len(rows)} rows: {', '.join(parts)}."


def parity(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each file on each device."""
    lines = []
    for row, one in _each(rows, "parity"):
        decibels, agreement = one.get("sqnr_db"), one.get("agreement")
        lines.append(
            (
                *(row["command"], row["network"], _file(one), _device(one)),
                *(one["verdict"], str(one["n"])),
                words.ABSENT
                if agreement is None
                else _with_interval(100 * agreement, one.get("agreement_ci95"), 100),
                words.ABSENT
                if one.get("drop_pp") is None
                else _with_interval(one["drop_pp"], one["drop_ci95_pp"]),
                words.ABSENT if decibels is None else f"{decibels:.1f}".replace("-", words.MINUS),
            )
        )
    head = (
        "command",
        "network",
        "file",
        "device",
        "verdict",
        "images",
        "agreement, % [95 %]",
        "drop, pp [95 %]",
        "SQNR, dB",
    )
    return markdown_table(head, lines, words=5) if lines else ""


def latency(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each file on each device and batch size."""
    lines = []
    for row, one in _each(rows, "latency"):
        low, high = one["p50_ci95_ms"]
        per_second = one.get("per_second") or 1000 * one["batch"] / one["p50_ms"]
        lines.append(
            (
                *(
                    row["command"],
                    row["network"],
                    _file(one),
                    _device(one),
                    one.get("verdict") or words.ABSENT,
                ),
                *(str(one["batch"]), f"{one['p50_ms']:.3f} [{low:.3f}, {high:.3f}]", f"{per_second:.0f}"),
            )
        )
    head = (
        "command",
        "network",
        "file",
        "device",
        "verdict",
        "batch",
        "median, ms [95 %]",
        "images a second",
    )
    return markdown_table(head, lines, words=5) if lines else ""


def strided(rows: Sequence[dict[str, Any]]) -> str:
    """Which are wrong, and whether what they give is the convolution without its stride."""
    lines = []
    for _, one in _each(rows, "strided"):
        steps = one.get("without_stride_steps")
        lines.append(
            (
                *(one["convolution"], one["device"], "wrong" if one["wrong"] else "right"),
                f"{one['of_largest']:.1e}",
                words.ABSENT if steps is None else f"{steps:.1e}",
            )
        )
    head = (
        "convolution",
        "device",
        "answer",
        "off, of the largest value",
        "steps from that without a stride",
    )
    return markdown_table(head, lines, words=3) if lines else ""


def training(rows: Sequence[dict[str, Any]]) -> str:
    """Of `train`: the epoch, and the whole command with its start and what is compiled."""
    lines = []
    for row, one in ((row, row["training"]) for row in rows if "training" in row):
        epochs = sum(one["epoch_seconds"])
        lines.append((row["network"], _device(one), f"{epochs:.1f}", f"{row['seconds']:.1f}"))
    return markdown_table(("network", "device", "epoch, s", "command, s"), lines, words=2) if lines else ""


def why_not(rows: Sequence[dict[str, Any]]) -> str:
    """Each reason once, with the rows that it holds for."""
    reasons: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for why in dict.fromkeys((*row["why"], *row.get("failures", ()))):
            reasons.setdefault(why, []).append(row)
    return "\n".join(f"- {_which(those)}: {_escaped(why)}" for why, those in reasons.items())


def _which(rows: Sequence[dict[str, Any]]) -> str:
    commands = dict.fromkeys(f"`{row['command']}`" for row in rows)
    networks = dict.fromkeys(row["network"] for row in rows)
    batches = dict.fromkeys(str(row["batch"]) for row in rows if row["batch"] is not None)
    batch = f", batch {' and '.join(batches)}" if batches else ""
    return f"{', '.join(commands)} of {' and '.join(networks)}{batch}"


def _each(rows: Sequence[dict[str, Any]], key: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return ((row, one) for row in rows for one in row.get(key, ()))


def _file(one: dict[str, Any]) -> str:
    """Without the network, which has a column: `int8.tflite`."""
    return ".".join(one["artifact"].rsplit(".", 2)[-2:])


def _device(one: dict[str, Any]) -> str:
    return f"{one['backend']} {one['device']}"


def _with_interval(value: float, interval: Sequence[float] | None, factor: float = 1) -> str:
    ends = "" if interval is None else f" [{', '.join(f'{factor * end:.2f}' for end in interval)}]"
    return f"{value:.2f}{ends}".replace("-", words.MINUS)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")
