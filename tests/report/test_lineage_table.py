"""The lineage as a table of words."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.report import Report
from resnet_edge.report.lineage import apart, entries
from resnet_edge.report.lineage_table import commands, explained, lineage_table


def test_the_table_says_it_in_words(compressed: Report) -> None:
    table = lineage_table(compressed)
    assert table is not None
    assert table.header == (
        "Model",
        "Top-1",
        "MACs",
        "Parameters",
        "Size",
        "gzip",
        "Faster by",
        "p50, ms",
    )
    assert table.body[1] == (
        "prune: channels pruned to 0.50 of the MACs",
        ("94.51 %", "[94.05, 94.94]"),
        "20.3 M",
        "135 k",
        "677 kB",
        "507 kB",
        ("1.67×", "[1.64×, 1.69×]"),
        ("–", ""),
    )
    assert explained(compressed) == [
        "Top-1 with its 95 % interval, all of the same images: 10,000 test images.",
        "Faster by: the latency before a step over that after it, timed in alternation.",
        "prune: int8 tflite on litert cpu, 1 thread: 1.52 ms, then 0.910 ms, 1.67× [1.64×, 1.69×].",
        "p50: median latency of one call in this run, 1 thread, batch 1.",
    ]
    assert commands(compressed) == [
        "resnet-edge train --arch resnet20",
        "resnet-edge prune base.keras --method channel --amount 0.5",
        "resnet-edge qat pruned.keras",
    ]


def test_unlabelled_images_give_no_accuracy_to_compare(compressed: Report, unlabelled: Report) -> None:
    report = replace(compressed, parity=unlabelled.parity, latency=())
    lineage = entries(report)
    measured = [entry.title for entry in lineage if entry.top1 is not None]
    assert measured == [entry.title for entry in lineage[:3]]
    assert not apart(lineage)
    table = lineage_table(report)
    assert table is not None
    assert "p50, ms" not in table.header
