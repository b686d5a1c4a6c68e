"""Which of the contracts are slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core import registry

OTHER_PROCESS = ("_arm64", "iree", *registry.declared("backends"))
QUICK = frozenset({"test_logits_are_the_networks", "test_quantized_artifact_takes_and_gives_stored_numbers"})
"""Contracts that are kept at every run; the others take seconds each where a processor is emulated,
TensorFlow 2.5 is started or IREE compiles."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        here = item.path.parent == Path(__file__).parent
        slow = any(name in item.name for name in OTHER_PROCESS)
        if here and slow and item.name.partition("[")[0] not in QUICK:
            item.add_marker(pytest.mark.slow)
