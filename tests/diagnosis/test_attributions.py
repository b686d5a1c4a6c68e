"""Whose gap is split into causes, and what kernels that are off do to a verdict."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.results.attribution import Attribution, KernelCheck, Share
from resnet_edge.core.tolerances import FLOAT_ON_CPU, INT8, Tolerance
from resnet_edge.diagnosis.attributions import Attributor, Causes, Ends
from resnet_edge.evaluation.verdict import Judgement
from resnet_edge.workers.progress import silent
from tests.diagnosis.judgements import IMAGES, ended, judged

ENDS = Ends(reference="reference.npy", unpruned=None, portable=lambda: "float.tflite", macs=None, rerun=None)
SHARE = Share(
    cause="kernels", drop_pp=None, drop_ci95_pp=None, changed=0.0, changed_ci95=(0.0, 0.1), sqnr_db=None
)


def causes(tolerance: Tolerance, measured: float, allowed: float, backend: str = "onnxruntime") -> Causes:
    check = KernelCheck(tolerance, measured, allowed, measured <= allowed)
    attribution = Attribution(
        artifact="net.onnx", backend=backend, device="cpu", n=9, shares=(SHARE,), whole=SHARE, kernels=check
    )
    return Causes((attribution,), ())


@pytest.mark.parametrize(
    ("tolerance", "measured", "allowed", "said"),
    [
        (INT8, 89.04, 2.0, ("89.0 steps off what the file says", "and int8 may be 2.0 steps off")),
        (FLOAT_ON_CPU, 0.0123, 1e-4, ("1.2 % off what", "and float on a CPU may be 0.01 % off")),
    ],
)  # fmt: skip
def test_kernels_that_are_off_fail_a_file_that_passed(
    tolerance: Tolerance, measured: float, allowed: float, said: tuple[str, str]
) -> None:
    parity = causes(tolerance, measured, allowed).beside(judged()).parity
    assert parity.verdict == "fail"
    assert all(text in parity.reasons[0] for text in said)
    assert parity.reasons[0].endswith("its kernels are at fault, not the file")
    assert parity.reasons[1:] == ("fine",)


def test_kernels_within_their_tolerance_and_those_of_others_change_nothing() -> None:
    one = judged()
    assert causes(INT8, 1.9, 2.0).beside(one) == one
    assert causes(INT8, 89.0, 2.0, backend="openvino").beside(one) == one
    assert Causes((), ()).beside(one) == one


def split(given: list[Judgement], logs: Path, ends: Ends = ENDS, n: int = 9) -> Causes:
    """What is found where no worker runs anything: a note for each that would be split."""
    with ThreadPoolExecutor(1) as threads:
        head = Head.of_classes(5, "logits")
        attributor = Attributor(ended(logs), threads, IMAGES, None, head, logs, n, silent)
        attributor.start(given, ends)
        return attributor.causes()


def test_a_gap_that_cannot_be_split_is_a_note(tmp_path: Path) -> None:
    result = split([judged(), judged("net.tflite", backend="litert")], tmp_path)
    assert result.attributions == ()
    assert result.notes == (
        "what net.onnx on onnxruntime cpu loses is not split into causes: causes: the run is over",
        "what net.tflite on litert cpu loses is not split into causes: causes: the run is over",
    )


def test_outputs_of_the_model_itself_lose_something_by_pruning_alone(tmp_path: Path) -> None:
    same = judged(by_rounding=True)
    assert split([same], tmp_path) == Causes((), ())
    assert len(split([same], tmp_path, replace(ENDS, unpruned="unpruned.npy")).notes) == 1


def test_what_could_not_be_compared_is_not_split(tmp_path: Path) -> None:
    one = judged()
    unlike = replace(one, parity=replace(one.parity, agreement=None))
    artifact = replace(one.proof.artifact, inputs=())
    unread = replace(one, proof=replace(one.proof, artifact=artifact))
    assert split([unlike, unread], tmp_path) == Causes((), ())


def test_on_no_images_nothing_is_split(tmp_path: Path) -> None:
    assert split([judged()], tmp_path, n=0) == Causes((), ())
