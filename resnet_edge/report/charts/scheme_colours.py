"""One colour for each scheme, the same on every page: of `convert`, `verify` and `bench`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from resnet_edge.core import registry
from resnet_edge.report.charts import svg

OTHERS = svg.COLOURS - 1
"""The grey of the style sheet: the model itself, and files of no scheme that we know."""


def scheme_colour(scheme: str) -> int:
    """By number, as `svg.colour` takes it: the place of the scheme among all that there are."""
    schemes = registry.names("schemes")
    return min(schemes.index(scheme), OTHERS) if scheme in schemes else OTHERS


def line_styles(schemes: Iterable[str]) -> list[str]:
    """Classes of the style sheet for lines, one for each artifact by its scheme; the second of one scheme,
    and those after it, are dashed."""
    return _styles(schemes, "dashed")


def bar_styles(schemes: Iterable[str]) -> list[str]:
    """The same for bars, which are pale instead of dashed."""
    return _styles(schemes, "hollow")


def _styles(schemes: Iterable[str], again: str) -> list[str]:
    before: Counter[str] = Counter()
    styles = []
    for scheme in schemes:
        styles.append(f"{svg.colour(scheme_colour(scheme))}{f' {again}' if before[scheme] else ''}")
        before[scheme] += 1
    return styles
