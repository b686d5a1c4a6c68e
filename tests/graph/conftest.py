from __future__ import annotations

import pytest

from tests.formats import nets
from tests.graph.road import Road, road


@pytest.fixture(scope="session")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A small ResNet v1 that gives logits; its images are between -1 and 1."""
    model = nets.residual_v1()
    return road(model, nets.images(model), tmp_path_factory.mktemp("residual"))
