"""What every test is run with."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

# Before any test imports TensorFlow: its start-up notices would drown what a failing test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
