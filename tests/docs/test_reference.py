"""The reference pages are those that the program would make now."""

from __future__ import annotations

import pytest

from tests.docs.reference import DOCS, PAGES


@pytest.mark.parametrize("file", PAGES)
def test_a_reference_page_is_up_to_date(file: str) -> None:
    assert (DOCS / file).read_text("utf-8") == PAGES[file](), "run `python -m tests.docs.reference`"
