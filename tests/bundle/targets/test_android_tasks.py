"""What MediaPipe Tasks and ML Kit take; tests/contracts/test_profiles.py asks every profile."""

from __future__ import annotations

import pytest

from resnet_edge.bundle.targets.android_tasks import border, runtimes
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.head import Head


@pytest.mark.parametrize(("scheme", "dtype"), [("int8", "uint8"), ("fp16", "float32"), ("fp32", "float32")])
def test_apps_give_bytes_to_integers_and_floats_to_floats(scheme: str, dtype: str) -> None:
    assert border(scheme, Head.of_classes(10, "logits")).input == dtype


@pytest.mark.parametrize(
    ("head", "ends"),
    [
        (Head.of_classes(10, "logits"), (True, False, False)),
        (Head.of_classes(10, "probabilities"), (False, False, False)),
        (Head.binary("logits"), (False, True, True)),
        (Head.binary("probabilities"), (False, False, True)),
    ],
)
def test_what_comes_out_is_a_probability_of_every_class(head: Head, ends: tuple[bool, bool, bool]) -> None:
    adapter = border("int8", head)
    assert (adapter.softmax, adapter.sigmoid, adapter.both) == ends


@pytest.mark.parametrize(
    "head", [Head.binary("probabilities", 0.8), Head.binary("logits", 0.5)], ids=["probability", "logit"]
)
def test_another_threshold_is_refused(head: Head) -> None:
    """Apps take the larger score."""
    with pytest.raises(ArtifactError, match="leave the profile out .* or train for the usual threshold"):
        border("int8", head)


def test_int8_is_proved_on_other_kernels_too() -> None:
    assert set(runtimes("fp32")) < set(runtimes("int8"))
