"""Names that users typed."""

import pytest

from resnet_edge.core.choices import choose, did_you_mean
from resnet_edge.core.errors import UnknownName

SCHEMES = ("dynamic", "fp16", "fp32", "int16x8", "int8")


@pytest.mark.parametrize("name", ["int8", "INT8", "Int8"])
def test_capitals_do_not_matter(name: str) -> None:
    assert choose("scheme", name, SCHEMES) == "int8"


def test_capitals_decide_where_two_names_differ_in_them_alone() -> None:
    assert choose("layer", "Conv", ("conv", "Conv")) == "Conv"
    with pytest.raises(UnknownName, match="did you mean"):
        choose("layer", "CONV", ("conv", "Conv"))


def test_similar_names_come_first() -> None:
    with pytest.raises(UnknownName, match=r"^no scheme is called 'int9' \(did you mean int8\?\); choose"):
        choose("scheme", "int9", SCHEMES)


def test_what_resembles_nothing_has_no_question() -> None:
    assert did_you_mean("bfloat", SCHEMES) == ""
    with pytest.raises(UnknownName, match=r"^no scheme is called 'zzz'; choose from: .*, or a file$"):
        choose("scheme", "zzz", SCHEMES, ", or a file")
