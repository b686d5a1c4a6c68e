"""What every scheme must fulfil, found by listing the room."""

from __future__ import annotations

import dataclasses
import typing

import msgspec
import pytest

from resnet_edge.core import registry
from resnet_edge.core.scheme import Scheme

SCHEMES = registry.names("schemes")


def scheme(name: str) -> Scheme:
    loaded = registry.load("schemes", name).SCHEME
    assert isinstance(loaded, Scheme)
    return loaded


def test_the_contract_names_are_there() -> None:
    assert {"fp32", "fp16", "dynamic", "int8", "int16x8"} <= set(SCHEMES)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_is_data_that_survives_json(name: str) -> None:
    one = scheme(name)
    assert msgspec.json.decode(msgspec.json.encode(one), type=Scheme) == one


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_is_immutable_and_has_words(name: str) -> None:
    one = scheme(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.title = "other"  # type: ignore[misc]
    assert one.title


@pytest.mark.parametrize("name", SCHEMES)
def test_calibration_is_needed_where_activations_are_stored_as_integers(name: str) -> None:
    one = scheme(name)
    assert one.needs_calibration == one.activations.startswith("int")


@pytest.mark.parametrize("name", SCHEMES)
def test_only_what_rounds_as_the_reference_does_has_a_limit_in_decibels(name: str) -> None:
    assert (scheme(name).min_sqnr_db is not None) == (scheme(name).weights == "float32")


def test_schemes_are_in_the_order_of_their_bits() -> None:
    names = ["int8", "int16x8", "dynamic", "fp16", "fp32"]
    assert sorted(names, key=lambda name: scheme(name).fineness()) == names


@pytest.mark.parametrize("name", SCHEMES)
def test_some_format_offers_it(name: str) -> None:
    formats = [registry.load("formats", one) for one in registry.names("formats")]
    assert any(one.refusal(scheme(name)) is None for one in formats)


def test_no_two_schemes_are_the_same() -> None:
    kinds = {(scheme(name).weights, scheme(name).activations) for name in SCHEMES}
    assert len(kinds) == len(SCHEMES)


def test_every_dtype_of_a_scheme_is_in_use() -> None:
    """A dtype that no scheme has is a promise that nothing keeps."""
    hints = typing.get_type_hints(Scheme)
    assert set(typing.get_args(hints["weights"])) == {scheme(name).weights for name in SCHEMES}
    offered = set(typing.get_args(hints["activations"]))
    assert offered == {scheme(name).activations for name in SCHEMES}
