"""The shape of images."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import ResnetEdgeError, UsageError
from tests.models import nets
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS


@pytest.mark.parametrize(
    ("shape", "requested", "error", "says"),
    [
        ((None, None, 3), None, UsageError, "images of any size .any,any,3.*add --input-shape"),
        ((None, None, 3), (20, 24, 1), UsageError, "20,24,1 contradicts net.keras, which takes any,any,3"),
        ((16, 16, 3), (20, 16, 3), UsageError, "contradicts"),
    ],
)
def test_a_shape_that_is_open_or_contradicts_is_refused(
    shape: tuple[int | None, ...],
    requested: tuple[int, int, int] | None,
    error: type[ResnetEdgeError],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        _opened(nets.classifier(shape=shape), input_shape=requested)


def test_what_is_open_is_taken_from_images_that_all_have_it_and_that_is_said() -> None:
    net = nets.classifier(shape=(None, None, 3))
    facts = _opened(net, data_shape=(20, 24, 1)).facts
    assert facts.input_shape == (20, 24, 3)
    assert (
        "it takes any,any,3: 20,24,3 is taken, which is what all images of the data have" in facts.read_as[0]
    )
    given = _opened(net, data_shape=(20, 24, 3), input_shape=(16, 16, 3)).facts
    assert (given.input_shape, given.read_as) == ((16, 16, 3), ())
    own = _opened(nets.classifier(shape=(16, 16, 3)), data_shape=(20, 24, 3)).facts
    assert (own.input_shape, own.read_as) == ((16, 16, 3), ())
    with pytest.raises(UsageError, match=r"do not have one either \(any,24,3\): add --input-shape"):
        _opened(net, data_shape=(None, 24, 3))


def test_an_open_shape_is_completed() -> None:
    facts = _opened(nets.classifier(shape=(None, None, 3)), input_shape=(20, 24, 3)).facts
    assert facts.input_shape == (20, 24, 3)
    assert facts.macs == 10 * 12 * (9 * 3 * 6 + 9 * 6 * 6) + 6 * 4
