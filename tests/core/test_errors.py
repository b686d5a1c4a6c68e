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


CALLED = "Exception encountered when calling {}.\n\n\x1b[1m{}\x1b[0m\n\nArguments received by {}:\n  • x=1"


def called(name: str, reason: str) -> str:
    """As keras.src.utils.traceback_utils writes it."""
    return CALLED.format(name, reason, name)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("", "ValueError"),
        ("\n  first.\nsecond", "first"),
        (called("Conv2D.call()", "no"), "Exception encountered when calling Conv2D.call(): no"),
        (
            called("Functional.call()", called("Dense.call()", "too small.")),
            "Exception encountered when calling Dense.call(): too small",
        ),
        ("no X\n\nconfig={}.\n\nException encountered: no axis", "no axis"),
        (
            "no X\n\nconfig={}.\n\nException encountered: " + called("X.build()", "no axis"),
            "Exception encountered when calling X.build(): no axis",
        ),
        (
            called(
                "X.call()",
                'in user code:\n\n    File "a.py", line 1, in call\n        f()\n\n    ValueError: bad',
            ),
            "Exception encountered when calling X.call(): ValueError: bad",
        ),
        ("in user code:\n\n    File 1\n\n    tf.errors.OpError: bad\n", "tf.errors.OpError: bad"),
        (
            called(
                "X.call()",
                "{{function_node __wrapped__Reshape_device_/job:localhost}} no rows [Op:Reshape]",
            ),
            "Exception encountered when calling X.call(): no rows",
        ),
        ("Exception encountered when calling X.call().", "Exception encountered when calling X.call()"),
        ("x" * 900, "x" * 300),
    ],
)
def test_one_line_tells_the_reason(message: str, line: str) -> None:
    assert errors.first_line(ValueError(message)) == line
