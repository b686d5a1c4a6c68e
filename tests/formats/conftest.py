from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.formats import nets
from tests.graph.road import Road, road


@pytest.fixture(scope="session")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Road]:
    """The road of the network of nets.py with that name, made once."""

    @cache
    def made(name: str) -> Road:
        model = getattr(nets, name)()
        return road(model, nets.images(model), tmp_path_factory.mktemp(name))

    return made
