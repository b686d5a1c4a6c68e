"""Tables of docs are what benchmarks measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import engines, onnx_lowering, pruned_latency, repeatability, tables, train_step
from benchmarks.results import command, read


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_tables_are_as_the_results_have_them(page: Path) -> None:
    """`python -m benchmarks.tables` makes them."""
    assert page.read_text("utf-8") == tables.with_tables(page)


def test_what_was_measured_is_told_and_what_is_told_was_measured() -> None:
    assert tables.used() == tables.kept() != set()


@pytest.mark.parametrize("name", sorted(tables.kept()))
def test_results_say_what_they_are_of_and_nothing_of_whose_they_are(name: str) -> None:
    document = read(name)
    assert document["command"].startswith(f"python -m benchmarks.{document['benchmark']}")
    assert {"cpu", "int8_flags", "usable_cores"} <= document["machine"].keys()
    assert document["versions"]["numpy"]
    assert "/" not in document["command"].replace("dist/", "")


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_figures_that_are_typed_in_say_of_which_run_they_are(page: Path) -> None:
    """A table with a column of numbers is made of results, or the line below it tells its commit and date."""
    typed = tables.BLOCK.sub("", page.read_text("utf-8"))
    for match in re.finditer(r"^\|.*\n\|.*---:.*\n(?:\|.*\n)*(?:\n(.*)\n)?", typed, re.MULTILINE):
        assert re.match(r"Typed in at [0-9a-f]{7}, \d{4}-\d\d-\d\d, of ", match[1] or ""), match[0][:200]


def test_a_command_names_no_folder_of_whoever_ran_it(tmp_path: Path) -> None:
    assert command("defects", ["--work", str(tmp_path), "--images", "9"]) == (
        "python -m benchmarks.defects --work DIR --images 9"
    )


def test_what_did_not_run_is_told_in_its_row() -> None:
    """Of benchmarks that take longer than anybody waits for a table."""
    ran = {"name": "fp32 ONNX, iree", "error": "", "same": 1.0, "off": 2.7e-7, "cpu_ms": 2.19, "ratio": 3.7}
    rows = [{**ran, "ratio_ci95": [3.59, 3.84]}, {"name": "int8 .pte", "error": "a|b is not there"}]
    assert engines.table({"rows": rows}).splitlines()[2:] == [
        "| fp32 ONNX, iree | 100.0% | 2.7e-07 | 2.19 | 3.70 (3.59 to 3.84) |",
        "| int8 .pte | a/b is not there |  |  |  |",
    ]
    same = {"maker": "us", "agreement": 1.0, "sqnr_db": None}
    files = {name: same for name in onnx_lowering.COLUMNS[3:6]} | {"int8.tflite": {**same, "sqnr_db": 17.4}}
    networks = [
        {"network": "VGG16", "pixels": 64, "without_lowering": [], "files": files},
        {"network": "Xception", "pixels": 71, "broke": "killed"},
    ]
    assert onnx_lowering.table({"rows": networks}).splitlines()[2:] == [
        "| VGG16 | 64 | none | us, 100%, equal | us, 100%, equal | us, 100%, equal | us, 100%, 17 dB |  |",
        "| Xception | 71 | broke: killed |  |  |  |  |  |",
    ]


def test_ratios_are_told_as_times_as_fast() -> None:
    row = {
        "backend": "litert",
        "blocks": 8,
        "multiple": 64,
        "macs_left": 0.5,
        "gmacs": 2.04,
        "before_ms": 18.0,
    }
    row |= {"after_ms": 9.0, "ratio": 0.5, "ratio_ci95": [0.4, 0.8]}
    assert pruned_latency.table({"rows": [row]}).endswith("| 18.0, 9.0 | 2.00x [1.25, 2.50] |")
    steps = {"plain float32": {"median_ms": 90.0, "speed_up": 1.0}}
    assert train_step.table({"variants": steps}).endswith("| plain float32 | 90.0 ms | 1.00x |")
    moved = {"n": 70, "within_3_percent": 1.0, "of_20_the_19th": 1.009, "largest": 1.012}
    result = {"runs": 8, "ratios": moved, "medians": {**moved, "of_20_the_19th": 1.02}}
    assert repeatability.table(result).endswith("| 8 | 70 | 100% | 0.9% | 1.2% | 2.0% |")
