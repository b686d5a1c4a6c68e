"""ResNet-50 with fewer blocks and channels: multiply-accumulates against measured int8 latency.

    python -m benchmarks.pruned_latency [--share 0.75,0.5,0.25] [--blocks 0,8] [--multiple 16,64]

Random weights and random importance: what is measured is how long a network of this shape
takes, not how well it classifies. For every share of the MACs the smaller network is built by
resnet_edge.compression.pruning, converted to int8, and timed in turns with the whole network on LiteRT and
on ONNX Runtime, one thread. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.results import keep, markdown_table

PLACES = ("litert", "onnxruntime")
SEED = 0


def main() -> None:
    """Build every network, time each against the whole one, print."""
    options = _options()
    if options.build:
        build(options.arch, options.build)
        return
    from resnet_edge.cli.terminal import progress
    from resnet_edge.compression.step_latency import Race, TimedAs
    from resnet_edge.models import ModelRequest
    from resnet_edge.workers.pool import WorkerPool
    from resnet_edge.workers.process import log_folder

    rows = []
    with tempfile.TemporaryDirectory() as scratch, log_folder() as logs, progress(False) as tell:
        plan = list(product(options.blocks, options.multiple, options.share))
        base = Path(scratch) / "base.keras"
        wanted = [
            {"blocks": blocks, "multiple": multiple, "share": share, "out": f"{scratch}/{number}.keras"}
            for number, (blocks, multiple, share) in enumerate(plan)
        ]
        costs = _built(options.arch, str(base), wanted)
        for backend in PLACES:
            folder = Path(scratch) / backend
            folder.mkdir()
            how = TimedAs(backend=backend, seconds=options.seconds)
            with (
                WorkerPool(logs) as workers,
                Race(workers, folder, ModelRequest(str(base)), how, tell) as race,
            ):
                for network, cost in zip(wanted, costs, strict=True):
                    comparison = race.against(network["out"])
                    rows.append(
                        {**{k: v for k, v in network.items() if k != "out"}, **cost, **asdict(comparison)}
                    )
    result = {"arch": options.arch, "seconds": options.seconds, "rows": rows}
    print(table(result))
    keep("pruned_latency", result)


def build(arch: str, wanted: str) -> None:
    """In a process of its own: write the whole network and the smaller ones; prints their costs."""
    import keras

    from resnet_edge import zoo
    from resnet_edge.compression.pruning import PruningTarget, Rules, Selection
    from resnet_edge.compression.pruning.blocks import removable, without
    from resnet_edge.compression.pruning.cost import cost
    from resnet_edge.compression.pruning.groups import channel_map
    from resnet_edge.compression.pruning.importance import random_importance
    from resnet_edge.compression.pruning.selection import select
    from resnet_edge.compression.pruning.slicing import sliced
    from resnet_edge.models.functional.flat import copied, copy_weights, flat_graph, rebuild

    keras.utils.set_random_seed(SEED)
    model = zoo.build(arch)
    plan = json.loads(wanted)
    model.save(plan["base"])
    graph = flat_graph(model, model.input_shape[1:])
    order = [block.name for block in removable(graph)]
    random.Random(SEED).shuffle(order)
    whole = cost(channel_map(graph)).macs
    costs = []
    for network in plan["networks"]:
        fewer = without(graph, order[: network["blocks"]])
        smaller = rebuild(fewer, copied)
        copy_weights(fewer, smaller)
        channels = channel_map(flat_graph(smaller, model.input_shape[1:]))
        share = network["share"] * whole / cost(channels).macs
        rules, importance = Rules(multiple=network["multiple"]), random_importance(channels, SEED)
        selection = Selection({})
        if share < 1:
            selection = select(channels, importance, PruningTarget("macs", share), rules)
        sliced(channels, selection).save(network["out"])
        left = cost(channels, selection)
        costs.append(
            {"gmacs": left.macs / 1e9, "macs_left": left.macs / whole, "parameters": left.parameters}
        )
    print(json.dumps(costs))


def _built(arch: str, base: str, networks: list[dict[str, Any]]) -> list[dict[str, float]]:
    plan = json.dumps({"base": base, "networks": networks})
    command = [sys.executable, "-m", "benchmarks.pruned_latency", "--arch", arch, "--build", plan]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    costs: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return costs


def table(result: dict[str, Any]) -> str:
    """*Faster*: p50 of the whole network over p50 of the smaller one, int8, one thread."""
    header = (
        "runtime",
        "blocks removed",
        "channels in multiples of",
        "MACs left",
        "GMACs",
        "p50, ms",
        "faster",
    )
    return markdown_table(header, (_cells(row) for row in result["rows"]))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["ratio_ci95"] or (row["ratio"], row["ratio"])
    return (
        *(str(row[key]) for key in ("backend", "blocks", "multiple")),
        f"{row['macs_left']:.2f}x",
        f"{row['gmacs']:.2f}",
        f"{row['before_ms']:.1f}, {row['after_ms']:.1f}",
        f"{1 / row['ratio']:.2f}x [{1 / high:.2f}, {1 / low:.2f}]",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arch", default="resnet50-v1.5")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each pair")
    parser.add_argument("--share", type=_numbers, default=[0.75, 0.5, 0.25], help="of the MACs")
    parser.add_argument("--blocks", type=_whole, default=[0, 8], help="residual blocks removed first")
    parser.add_argument("--multiple", type=_whole, default=[16, 64], help="of channels")
    parser.add_argument("--build", help=argparse.SUPPRESS)
    return parser.parse_args()


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _whole(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
