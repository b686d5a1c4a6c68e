"""The roads of tests/formats, whose files are compared."""

from tests.formats.conftest import roads

__all__ = ["roads"]
