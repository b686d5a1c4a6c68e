"""A self-test and an example in Python: numpy, Pillow and one runtime, as on a Raspberry Pi."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.results.bundle import BundleFacts

TITLE = "Python, on a computer or a Raspberry Pi"

_TEMPLATES = Path(__file__).parent / "_templates"


def render(facts: BundleFacts) -> dict[str, str]:
    """`selftest/selftest.py` and `samples/python/classify.py`; they read the bundle's JSON, and so are the
    same for every model."""
    return {
        "selftest/selftest.py": (_TEMPLATES / "selftest.py.txt").read_text("utf-8"),
        "samples/python/classify.py": (_TEMPLATES / "classify.py.txt").read_text("utf-8"),
    }
