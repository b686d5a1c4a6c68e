"""Which runtime is told as the oldest on which a bundled file is right."""

from __future__ import annotations

import pytest

from resnet_edge.bundle.oldest import oldest
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.results.bundle import BundledFile, RuntimeProof, Status
from resnet_edge.core.results.parity import Parity, Verdict

PINNED = ("x@2.5", "x@2.10", "x@2.14", "y")
IMAGE, SCORES = TensorSpec("image", (1, 8, 8, 3), "float32"), TensorSpec("logits", (1, 4), "float32")


def file_of(*changes: str) -> BundledFile:
    return BundledFile(
        path="p/a.tflite",
        profile="p",
        format="tflite",
        scheme="int8",
        size_bytes=9,
        sha256="f",
        input=IMAGE,
        output=SCORES,
        scores="logits",
        source="a.tflite",
        source_sha256="f",
        changes=changes,
    )


def proof(backend: str, status: Status, path: str = "p/a.tflite") -> RuntimeProof:
    return RuntimeProof(file=path, backend=backend, status=status)


def row(backend: str, verdict: Verdict) -> Parity:
    return Parity(
        artifact="a.tflite",
        backend=backend,
        device="cpu",
        n=9,
        top1=None,
        reference_top1=None,
        drop_pp=None,
        drop_ci95_pp=None,
        agreement=None,
        max_abs=None,
        sqnr_db=None,
        verdict=verdict,
        reasons=(),
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, ()),
        ({"x@2.5": "agrees", "x@2.10": "agrees", "x@2.14": "agrees", "y": "agrees"}, ("x@2.5", "y")),
        ({"x@2.5": "agrees"}, ("x@2.5",)),
        ({"x@2.5": "agrees", "x@2.10": "differs", "x@2.14": "agrees"}, ("x@2.14",)),
        ({"x@2.5": "agrees", "x@2.10": "does not open", "x@2.14": "agrees"}, ("x@2.14",)),
        ({"x@2.5": "agrees", "x@2.10": "not installed", "x@2.14": "agrees"}, ("x@2.5",)),
        ({"x@2.14": "differs"}, ()),
        ({"litert": "agrees"}, ()),
    ],
)
def test_every_newer_one_is_right_too(statuses: dict[str, Status], expected: tuple[str, ...]) -> None:
    proofs = [proof(name, status) for name, status in statuses.items()]
    others = [proof("x@2.5", "agrees", "p/b.tflite"), proof("x@2.14", "differs", "p/b.tflite")]
    assert oldest(file_of(), [*proofs, *others], (), PINNED) == expected


def test_rows_of_convert_count_where_the_bytes_are_the_same() -> None:
    rows = [row("x@2.5", "inconclusive"), row("x@2.10", "pass"), row("x@2.14", "pass")]
    assert oldest(file_of(), (), rows, PINNED) == ("x@2.10",)
    assert oldest(file_of("is surrounded"), (), rows, PINNED) == ()
    assert oldest(file_of(), [proof("x@2.14", "differs")], rows, PINNED) == ()
