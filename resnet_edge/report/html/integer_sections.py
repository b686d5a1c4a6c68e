"""Sections of a page: whether int8 really ran, and what it gives on a processor without VNNI."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.report.html.elements import listing, safe, section
from resnet_edge.report.html.table_cards import table_cards
from resnet_edge.report.integers import (
    RAN_HOW,
    RAN_TITLE,
    RISK_TITLE,
    execution_table,
    risk_sentences,
    risk_table,
)


def ran_section(found: Sequence[Execution]) -> str:
    """HTML; nothing where no runtime tells."""
    rows = execution_table(found)
    return section(RAN_TITLE, f'<p class="soft">{safe(RAN_HOW)}</p>{table_cards(rows)}') if rows else ""


def risk_section(found: Sequence[Int8Risk]) -> str:
    """HTML; nothing where no file multiplies uint8 by int8."""
    rows, told = risk_table(found), risk_sentences(found)
    return section(RISK_TITLE, listing(told) + (table_cards(rows) if rows else "")) if told else ""
