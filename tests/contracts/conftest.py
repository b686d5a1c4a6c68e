"""Which of the contracts are slow."""

from __future__ import annotations

from pathlib import Path

import pytest

EMULATED = "_arm64"
QUICK = frozenset({"test_logits_are_the_networks", "test_quantized_artifact_takes_and_gives_stored_numbers"})
"""Contracts that are kept at every run; the others of an emulated processor take seconds each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        here = item.path.parent == Path(__file__).parent
        if here and EMULATED in item.name and item.name.partition("[")[0] not in QUICK:
            item.add_marker(pytest.mark.slow)
