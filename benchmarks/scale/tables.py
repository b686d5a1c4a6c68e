"""The tables of docs/scale.md, of what was measured and simulated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.results import markdown_table


def table(result: dict[str, Any]) -> str:
    """All of them."""
    return "\n\n".join((costs(result["measured"]), *(_curve(one) for one in result["simulated"])))


def costs(measured: dict[str, Any]) -> str:
    """What a shard and what is around it cost."""
    there, moved = measured["there"], measured["transfer"]
    images = measured["shard_images"]
    rows = [
        (f"shard of {images} images, in a worker here", *_spread(measured["here"])),
        ("the same on a machine of the cluster", *_spread(there["seconds"])),
        ("around it, until its outputs are here", *_spread(there["around"])),
        ("the first of a machine, with its start and the files", *_spread(there["first"])),
        ("of that, putting the files in place", *_spread(there["placing"])),
    ]
    lines = [markdown_table(("", "median", "90 %", "largest", "n"), rows)]
    lines.append(
        f"An image takes {_ms(_median(measured['here']) / images)} here and "
        f"{_ms(_median(there['seconds']) / images)} there. Joining took {measured['join_seconds']:.1f} s "
        f"and leaving {measured['leave_seconds']:.1f} s; one driver hands out and takes back "
        f"{measured['calls_per_second']:.0f} "
        f"calls a second; a file goes into the store at {moved['put_rate'] / 1e6:,.0f} MB/s and from there "
        f"to a machine at {moved['fetch_rate'] / 1e6:,.0f} MB/s, both on one machine."
    )
    return "\n\n".join(lines)


def _curve(job: dict[str, Any]) -> str:
    one = job["curve"][0]["seconds"]
    rows = [
        (
            f"{each['workers']}",
            f"{each['seconds']:,.1f} s",
            f"{one / each['seconds']:.1f}",
            f"{one / each['seconds'] / each['workers']:.0%}",
            *(_share(each[key], each["seconds"]) for key in ("store", "driver", "stragglers", "starts")),
        )
        for each in job["curve"]
    ]
    header = ("workers", "time", "times faster", "used", "store", "driver", "last round", "starts")
    size, mean = _bytes(job["file_bytes"]), job["mean_seconds"]
    title = f"{job['title']}: {job['shards']} shards of {mean:.2f} s, {size}"
    return f"{title}\n\n{markdown_table(header, rows)}"


def _share(part: float, whole: float) -> str:
    return f"{min(1.0, part / whole):.0%}"


def _spread(seconds: Sequence[float]) -> tuple[str, str, str, str]:
    ordered = sorted(seconds)
    ninth = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return _ms(_median(ordered)), _ms(ninth), _ms(ordered[-1]), f"{len(ordered)}"


def _median(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.3g} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _bytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count > 1e9 else f"{count / 1e6:,.1f} MB"
