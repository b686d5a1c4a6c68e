"""Seeds and a campaign over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import seeds as good
from tests.hostile.campaign import Campaign


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good.write(tmp_path_factory.mktemp("seeds"))


@pytest.fixture(scope="module")
def campaign(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    with Campaign(seeds, tmp_path_factory.mktemp("hostile") / "place") as running:
        yield running
