"""Packages by the extra that brings them; core/test_machine.py holds the messages against pyproject.toml."""

from __future__ import annotations

from resnet_edge.core.packages import EXTRAS, IN_PLACE, missing_package


def test_what_stands_in_place_of_a_package_is_no_extra_of_its_own() -> None:
    extras = {distribution for distribution, _ in EXTRAS.values()}
    assert IN_PLACE.keys() < extras
    assert all(other not in extras for others in IN_PLACE.values() for other in others)


def test_a_module_that_no_extra_brings_has_no_message() -> None:
    assert missing_package("torch.nn") is None
    assert missing_package(None) is None
    assert "resnet-edge[jax]" in (missing_package("jax.numpy") or "")
