"""What every test is run with."""

from __future__ import annotations

import os

# Before any test imports TensorFlow: its start-up notices would drown what a failing test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
