"""A search as it may end: five points, and thirty trials of which most left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.search import NETWORKS, Configuration, FrontierPoint, Screened, SearchResult
from resnet_edge.core.results.search import SPACE as SPACE_FILE
from resnet_edge.report import write_frontier
from resnet_edge.searching.space import CHOICES, Space
from resnet_edge.searching.space_file import space_text

MODEL = ModelFacts(
    name="resnet20",
    source="resnet20.keras",
    sha256="ab" * 32,
    parameters=273_258,
    macs=31_000_000,
    input_shape=(28, 28, 1),
    head=Head(kind="classes", output="logits", classes=10),
    class_names=tuple(f"class {number}" for number in range(10)),
    preprocessing=PRESETS["unit"],
)
TOP1 = 0.9478
SPACE = Space(
    pruning=("none", "channel"), scheme=("fp32", "fp16", "int8"), epochs=(1, 3), input_size=(None, (20, 20))
)

PLAIN = Configuration(scheme="fp32")


def point(number: int, drop: float, ms: float | None, size: int, **more: Any) -> FrontierPoint:
    """A proved one, with intervals about its figures."""
    top1 = TOP1 - drop / 100
    fields: dict[str, Any] = {
        "number": number,
        "folder": f"points/{number:02}",
        "file": f"resnet20.{more.get('configuration', Configuration(scheme='fp32')).scheme}.tflite",
        "configuration": PLAIN,
        "n": 5000,
        "top1": top1,
        "top1_ci95": (top1 - 0.006, top1 + 0.006),
        "drop_pp": drop,
        "drop_ci95_pp": (drop - 0.22, drop + 0.24),
        "p50_ms": ms,
        "p50_ci95_ms": None if ms is None else (ms * 0.98, ms * 1.03),
        "size_bytes": size,
        "download_bytes": int(size * 0.9),
        "macs": int(31_000_000 * (1 - more.get("configuration", PLAIN).amount)),
        "parameters": int(273_258 * (1 - more.get("configuration", PLAIN).amount)),
        "verdict": "pass",
    }
    return FrontierPoint(**{**fields, **more})


def pruned(amount: float, scheme: str = "int8", **more: Any) -> Configuration:
    """Channels pruned and fine-tuned."""
    return Configuration(pruning="channel", amount=amount, epochs=3, scheme=scheme, **more)


OWN = point(0, 0.0, 1.82, 1_100_000, drop_ci95_pp=(0.0, 0.0), folder="", file="resnet20.fp32.tflite")
POINTS = (
    point(3, -0.04, 1.10, 330_000, configuration=Configuration(scheme="int8"), equal_to=(8,)),
    point(8, 0.02, 1.02, 301_000, configuration=pruned(0.1), equal_to=(3,)),
    point(
        14,
        0.31,
        0.61,
        205_000,
        configuration=pruned(0.4),
        knee=True,
        commands=(
            "resnet-edge prune resnet20.keras --method channel --amount 0.4 --data fashion-mnist --epochs 3 "
            "--learning-rate 0.02 --out resnet20-40.keras",
            "resnet-edge convert resnet20-40.keras --data fashion-mnist --schemes int8 --formats tflite "
            "--out point-14",
        ),
    ),
    point(21, 1.4, 0.44, 128_000, configuration=pruned(0.6, float_layers=2)),
    point(
        26,
        3.2,
        0.27,
        74_000,
        configuration=pruned(0.7, input_size=(20, 20)),
        verdict="inconclusive",
        reasons=("the drop is 3.20 pp [2.98, 5.04], and 5 pp are permitted: 9,000 images would decide",),
        samples_needed=9000,
    ),
)


def trials() -> tuple[Screened, ...]:
    """Thirty: those of the points, and others that left for each of the reasons."""
    complete = {each.number: each for each in POINTS}
    return tuple(_trial(number, complete.get(number)) for number in range(30))


def _trial(number: int, shown: FrontierPoint | None) -> Screened:
    if shown is not None:
        return Screened(
            number=number,
            configuration=shown.configuration,
            state="complete",
            n=5000,
            drop_pp=shown.drop_pp + 0.05,
            drop_ci95_pp=shown.drop_ci95_pp,
            latency_ratio=(shown.p50_ms or 0) / 1.82,
            latency_ratio_ci95=((shown.p50_ms or 0) / 1.86, (shown.p50_ms or 0) / 1.78),
            size_bytes=shown.size_bytes,
            seconds=30.0,
        )
    amount = 0.1 * (1 + number % 7)
    common = Screened(
        number=number,
        configuration=pruned(amount, scheme=("fp16", "int8", "fp32")[number % 3]),
        state="worse",
        reason=f"worse than trial {14 if number > 14 else 3} in everything, on 1,000 images",
        n=1000,
        drop_pp=0.4 + 9 * amount**2 + 0.1 * (number % 5),
        drop_ci95_pp=(9 * amount**2, 1 + 9 * amount**2),
        latency_ratio=(1.05 - amount) * (1, 0.62, 1.02)[number % 3],
        latency_ratio_ci95=((1.0 - amount) * 0.6, 1.1 - amount),
        size_bytes=int((1.05 - amount) * (560_000, 330_000, 1_100_000)[number % 3]),
        sqnr_db=30 - 20 * amount,
        seconds=12.5,
    )
    if number % 11 == 5:
        return replace(
            common,
            state="failed",
            reason="the worker ended: no memory was left; its log is in frontier.logs",
            n=0,
            drop_pp=None,
            drop_ci95_pp=None,
            latency_ratio=None,
            latency_ratio_ci95=None,
            size_bytes=None,
        )
    if number % 7 == 6:
        return replace(
            common, state="infeasible", reason="a drop of 5.4 pp or more, for sure", n=200, drop_pp=9.5
        )
    return common


RESULT = SearchResult(
    resnet_edge="0.1.0",
    versions={"litert": "2.1.0"},
    machine={
        "cpu": "Some CPU",
        "usable_cores": 2,
        "command": "resnet-edge search resnet20.keras --data fashion-mnist --out frontier",
    },
    model=MODEL,
    data={"source": "fashion-mnist", "n": 10_000},
    searched_on=5000,
    held_out=5000,
    objectives=("accuracy", "latency", "size"),
    backend="litert",
    limits={"max_drop_pp": 5.0, "max_latency_ms": 3.0},
    space={name: SPACE.values(name) for name in CHOICES},
    candidates=9,
    model_point=OWN,
    points=POINTS,
    trials=trials(),
    study="../frontier.study",
    seed=0,
    equal_within_pp=0.5,
    notes=("two trials failed: their logs are kept",),
    inputs={"model": "../resnet20.keras", "data": "fashion-mnist"},
)


def finished(folder: Path) -> Path:
    """A folder as a search leaves it, with as much in its points as is read of them."""
    folder.mkdir(parents=True)
    write_frontier(RESULT, folder)
    (folder / SPACE_FILE).write_text(space_text(RESULT.space, RESULT.objectives, RESULT.limits))
    for each in POINTS:
        _converted(folder, each)
    return folder


def _converted(folder: Path, shown: FrontierPoint) -> None:
    to = folder / shown.folder
    to.mkdir(parents=True)
    for name in ("report.md", "report.html", "labels.txt"):
        (to / name).write_text(name)
    (to / shown.file).write_text(f"{shown.number}")
    model = "../../../resnet20.keras"
    if shown.configuration.pruning != "none":
        network = folder / NETWORKS / f"{shown.number:02}" / "resnet20.keras"
        network.parent.mkdir(parents=True)
        network.write_text("a network")
        network.with_suffix(".json").write_text("{}")
        model = f"../../{network.relative_to(folder)}"
    report = {
        "schema": 1,
        "artifacts": [],
        "parity": [],
        "passed": True,
        "inputs": {"model": model, "data": "fashion-mnist", "calibration": "../../../more/images.npz"},
    }
    entry = {"file": shown.file, "format": "tflite", "scheme": shown.configuration.scheme}
    more = {"size_bytes": 2, "sha256": "0", "inputs": [], "outputs": []}
    (to / "report.json").write_text(json.dumps({**report, "artifacts": [{**entry, **more}]}))
