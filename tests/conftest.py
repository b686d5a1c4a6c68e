"""What every test is run with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.hosts.fixtures import host as host
from tests.hosts.fixtures import raspberry as raspberry
from tests.hosts.fixtures import sshd as sshd
from tests.workers.cluster.fixtures import losing_cluster as losing_cluster
from tests.workers.cluster.fixtures import ray_cluster as ray_cluster

if TYPE_CHECKING:
    from tests.graph.road import Road

# Before any test imports TensorFlow: its start-up notices would drown what a failing test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.pop("GITHUB_ACTIONS", None)  # with it errors are annotations as well
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # see workers/process.py

# The same examples in every run, on any machine however slow: a failure here is one there.
# To search further: pytest --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.hookimpl(tryfirst=True)  # before the fixtures, which make most of the networks
def pytest_runtest_setup() -> None:
    """The same weights in every run, whichever tests ran before in the same process."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(scope="session")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Road]:
    """The road of the network of formats/nets.py with that name, made once for all rooms."""
    from tests.formats import nets  # TensorFlow, which most tests do not need
    from tests.graph.road import road

    @cache
    def road_named(name: str) -> Road:
        model = getattr(nets, name)()
        return road(model, nets.images(model), tmp_path_factory.mktemp(name))

    return road_named
