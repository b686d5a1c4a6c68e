"""Imports tensorflow-model-optimization into the process of the tests, without what it leaves behind:
warnings of its own imports, and a variable in the environment that later subprocesses would inherit."""

from __future__ import annotations

import os
import warnings

_before = os.environ.get("TF_USE_LEGACY_KERAS")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow_model_optimization  # noqa: F401  # for its effect on the process
if _before is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
