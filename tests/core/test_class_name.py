"""How a sentence calls a class."""

from __future__ import annotations

from resnet_edge.core.class_name import class_name


def test_a_class_is_called_by_its_name_and_else_by_its_number() -> None:
    assert class_name(1, ("cat", "dog")) == "'dog'"
    assert class_name(2, ("cat", "dog")) == "2"
    assert class_name(0, ()) == "0"
