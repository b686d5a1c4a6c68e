"""Tables of docs are what benchmarks measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.results import command, read


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_tables_are_as_the_results_have_them(page: Path) -> None:
    """`python -m benchmarks.tables` makes them."""
    assert page.read_text("utf-8") == tables.made(page)


def test_what_was_measured_is_told_and_what_is_told_was_measured() -> None:
    assert tables.used() == tables.kept() != set()


@pytest.mark.parametrize("name", sorted(tables.kept()))
def test_results_say_what_they_are_of_and_nothing_of_whose_they_are(name: str) -> None:
    document = read(name)
    assert document["command"].startswith(f"python -m benchmarks.{document['benchmark']}")
    assert {"cpu", "int8_flags", "usable_cores"} <= document["machine"].keys()
    assert document["versions"]["numpy"]
    assert "/" not in document["command"].replace("dist/", "")


def test_a_command_names_no_folder_of_whoever_ran_it(tmp_path: Path) -> None:
    assert command("defects", ["--work", str(tmp_path), "--images", "9"]) == (
        "python -m benchmarks.defects --work DIR --images 9"
    )
