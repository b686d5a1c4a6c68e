"""The error tree: every kind crosses from a worker by name, and has an exit code of the contract."""

from __future__ import annotations

import pytest

from resnet_edge.core import errors
from resnet_edge.core.errors import KINDS, ResnetEdgeError


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_has_a_code_a_docstring_and_a_place_in_the_tree(kind: type[ResnetEdgeError]) -> None:
    assert kind.exit_code in {errors.EXIT_USAGE, errors.EXIT_COULD_NOT}
    assert kind.__doc__
    assert kind.__name__ in (errors.__doc__ or "")


def test_every_kind_is_known_by_its_name() -> None:
    defined = {k for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, ResnetEdgeError)}
    assert set(KINDS) == defined


def test_the_exit_codes_are_those_of_the_contract() -> None:
    codes = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert codes == {
        "EXIT_DONE": 0,
        "EXIT_USAGE": 2,
        "EXIT_COULD_NOT": 3,
        "EXIT_FAILED_PROOF": 4,
        "EXIT_INCONCLUSIVE": 5,
        "EXIT_INTERRUPTED": 130,
    }
