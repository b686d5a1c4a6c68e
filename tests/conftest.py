"""What every test is run with."""

from __future__ import annotations

import os

from hypothesis import settings

# Before any test imports TensorFlow: its start-up notices would drown what a failing test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # see core/worker.py

# The same examples in every run, on any machine however slow: a failure here is one there.
# To search further: pytest --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
