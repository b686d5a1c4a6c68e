"""What pruning did layer by layer, as a reader of the report sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resnet_edge.core.results.report import Report
from resnet_edge.report.layer_tables import layer_tables
from tests.report.conftest import EVIL
from tests.report.rendered import markdown, page

ZEROS = [
    {"name": "stem", "weights": 144, "zeros": 72, "sparsity": 0.5},
    {"name": EVIL, "weights": 2304, "zeros": 2304, "sparsity": 1.0},
]
GROUPS = [
    {"name": "a", "layers": ["stem", "conv2"], "before": 16, "after": 16, "reason": None},
    {"name": "b", "layers": ["conv1"], "before": 32, "after": 24, "reason": None},
    {"name": "c", "layers": ["conv3"], "before": 32, "after": 0, "reason": None},
    {"name": "d", "layers": ["logits"], "before": 10, "after": 10, "reason": "the network's output"},
]


def with_details(report: Report, **details: Any) -> Report:
    """The report of a model whose pruning left these details."""
    train, prune, qat = report.history
    return replace(report, history=(train, replace(prune, details=details), qat))


def test_the_sparsity_of_every_layer_and_of_all(compressed: Report) -> None:
    [(title, table)] = layer_tables(with_details(compressed, layers=ZEROS))
    assert title == "prune: channels pruned to 0.50 of the MACs"
    assert table.header == ("Layer", "Weights", "Zeros", "Sparsity")
    assert table.body[0] == ("stem", "144", "72", "50.0 %")
    assert table.body[-1][2:] == ("2.38 k", "97.1 %")  # 2,376 of 2,448


def test_the_channels_of_every_group_and_why_they_stay(compressed: Report) -> None:
    [(_, table)] = layer_tables(with_details(compressed, groups=GROUPS))
    assert table.body == (
        ("stem, conv2", "16", "16", "all are worth their cost"),
        ("conv1", "32", "24", ""),
        ("conv3", "32", "0", "its block is removed"),
        ("logits", "10", "10", "the network's output"),
    )


def test_both_stand_in_both_reports_and_names_make_no_markup(compressed: Report) -> None:
    report = with_details(compressed, layers=ZEROS, groups=GROUPS)
    text, html = markdown(report), page(report)
    title = "prune: channels pruned to 0.50 of the MACs"
    assert text.partition("## Layer by layer")[2].count(f"{title}\n\n|") == 2
    assert html.partition("Layer by layer")[2].count(f"{title}</p>") == 2
    assert "50.0 %" in text
    assert "50.0 %" in html
    assert "<script>" not in text
    assert html.count("<script>") == 1


@pytest.mark.parametrize("damaged", ["text", [1], [{"name": 3}], [{"name": "x", "weights": 0}], None])
def test_details_of_another_form_are_passed_over(compressed: Report, damaged: Any) -> None:
    report = with_details(compressed, layers=damaged, groups=damaged)
    assert layer_tables(report) == []
    assert "Layer by layer" not in markdown(report)
