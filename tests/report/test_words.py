from __future__ import annotations

import math

import pytest

from resnet_edge.report import words


@pytest.mark.parametrize(
    ("fraction", "n", "text"),
    [
        (0.9412, 10_000, "94.12 %"),
        (0.29, 1_000, "29.00 %"),
        (0.891667, 10_000, "89.17 %"),
        (0.99996, 100_000, "99.996 %"),
        (0.000_01, 100_000, "0.001 %"),
        (0.0, 64, "0.0 %"),
        (1.0, 64, "100.0 %"),
        (63 / 64, 64, "98.4 %"),
        (None, 0, "–"),
        (math.nan, 10, "–"),
    ],
)
def test_percent_is_rounded_and_never_to_all_or_nothing(fraction: float | None, n: int, text: str) -> None:
    assert words.percent(fraction, n) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (318_000, "318 kB"),
        (999_900, "1.00 MB"),
        (102_400_000, "102 MB"),
        (6_800_000_000, "6.80 GB"),
    ],
)
def test_size(number: int, text: str) -> None:
    assert words.size(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.0123"),
        (0.412, "0.412"),
        (1.0, "1.00"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (math.inf, "–"),
    ],
)
def test_milliseconds_have_three_digits(value: float, text: str) -> None:
    assert words.milliseconds(value) == text


def test_points_and_intervals() -> None:
    assert words.points(-0.001) == "0.00"
    assert words.points(-0.25) == "−0.25"
    assert words.interval((-0.05, 0.11)) == "[−0.05, 0.11]"
    assert words.interval((math.nan, 0.11)) == ""
    assert words.estimate(math.nan, (0.1, 0.2), words.points) == ("–", "")


def test_printable_disarms_what_a_terminal_would_obey() -> None:
    assert words.printable("a\nb\x1b[31m\udcff\u202e日本") == "a\\nb\\x1b[31m\\udcff\\u202e日本"


@pytest.mark.parametrize("limit", [5, 8, 30])
def test_shortened_keeps_both_ends(limit: int) -> None:
    text = words.shortened("resnet20.int16x8.tflite", limit)
    assert len(text) <= limit
    assert text.startswith("re")
    assert text.endswith("te")


def test_plain_tells_any_json() -> None:
    assert (
        words.plain({"a": [1, 2.5, None], "b": {"c": True}, "n": 10_000})
        == "a: 1, 2.5, –; b: c: yes; n: 10,000"
    )
