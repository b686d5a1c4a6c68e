"""What is kept of the documents of commands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PARITY = (
    *("artifact", "backend", "device", "n", "agreement", "agreement_ci95", "top1", "drop_pp", "drop_ci95_pp"),
    *("max_abs", "sqnr_db", "verdict", "reasons"),
)
LATENCY = (
    *("artifact", "backend", "device", "threads", "batch", "p50_ms", "p50_ci95_ms", "p90_ms", "per_second"),
    *("verdict", "reasons"),
)
STRIDED = ("convolution", "device", "of_largest", "without_stride_steps", "wrong")


def figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """`parity`, `latency`, `strided` and `training`, each where the document has it, and `failures`: what
    the command says that it could not do."""
    latency = [*document.get("rows", ()), *document.get("latency", ())]
    kept: dict[str, Any] = {
        "parity": _picked(document.get("parity", ()), PARITY),
        "latency": _picked(latency, LATENCY),
        "strided": _picked(document.get("strided", ()), STRIDED),
        "failures": [one["message"] for one in document.get("failures", ())],
    }
    if "validation_top1" in document:
        kept["training"] = {
            **trained_on(Path(document["file"]).with_suffix(".json")),
            **{key: document[key] for key in ("validation_top1", "validation_top1_ci95") if key in document},
        }
    return {key: value for key, value in kept.items() if value}


def trained_on(sidecar: Path) -> dict[str, Any]:
    """What the last step says that it was computed on, and how long its epochs took."""
    details = json.loads(sidecar.read_text("utf-8"))["steps"][-1]["details"]
    seconds = [epoch["seconds"] for epoch in details["history"]]
    return {"backend": details["backend"], "device": details["device"], "epoch_seconds": seconds}


def devices(kept: Mapping[str, Any]) -> list[str]:
    """Which devices the figures are of, as the runtimes name them."""
    rows = [row for key in ("parity", "latency", "strided") for row in kept.get(key, ())]
    named = [str(row["device"]) for row in rows]
    return [*named, *([kept["training"]["device"]] if "training" in kept else [])]


def _picked(rows: Any, keys: Sequence[str]) -> list[dict[str, Any]]:
    return [{key: row[key] for key in keys if key in row} for row in rows]
