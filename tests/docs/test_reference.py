"""The reference pages are those that the program would make now."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.reference import DOCS, PAGES

SCRIPT = "import sys; from tests.docs.reference import PAGES; sys.stdout.write(PAGES[sys.argv[1]]())"


@pytest.mark.parametrize("file", PAGES)
def test_a_reference_page_is_up_to_date(file: str) -> None:
    """In a process of its own: other tests put files of theirs into rooms, which options then name."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, file], cwd=DOCS.parent, capture_output=True, text=True, check=True
    )
    assert (DOCS / file).read_text("utf-8") == done.stdout, "run `python -m tests.docs.reference`"
