"""A report in a notebook and printed."""

from __future__ import annotations

from resnet_edge.report.display import Display

DISPLAY = Display("a <title>", [("File", "Size"), ("net.tflite", "9"), ("a\x1b[2J", "10")], ["", "Ship it."])


def test_a_notebook_gets_a_table_and_the_sentences() -> None:
    html = DISPLAY.html()
    assert "<caption>a &lt;title&gt;</caption>" in html
    assert html.count("<tr>") == 3
    assert html.endswith("<p>Ship it.</p>")
    assert html.count("<p>") == 1


def test_print_gets_columns_and_nothing_that_moves_the_cursor() -> None:
    title, head, row, foreign, answer = DISPLAY.text().split("\n")
    assert (title, answer) == ("a <title>", "Ship it.")
    assert row.index("9") == head.index("Size")
    assert "\x1b" not in foreign


def test_rows_of_other_lengths_and_empty_ones() -> None:
    assert Display("t", [("",), ("one", "two")]).text() == "t\none  two"
