"""Runs in the parent. When a runtime gives the answers of the artifact that a bundled file is made from."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.bundle.task import ScoresApart
from resnet_edge.core import registry
from resnet_edge.core.backend_name import runtime_of, split_host
from resnet_edge.core.results.bundle import BundledFile, RuntimeProof
from resnet_edge.evaluation.kernels import REFERENCE, kernels_of, with_kernels_of
from resnet_edge.evaluation.predict_task import PredictResult
from resnet_edge.schemes import scheme_of

EXACT_ENOUGH = 0.999
"""The share of images on which a runtime must give the same answer as the artifact."""
SAME_ENOUGH = 0.95
"""The same of reference kernels. They round integers otherwise than XNNPACK, with which `convert` proves; a
ResNet-20 gave another answer on up to 3 % of images. Their accuracy is what counts, and golden images must
still agree."""


def counterparts(backend: str, first: str) -> tuple[str, ...]:
    """The backends to compare with to the last bit, the best one first: on another machine the same runtime
    here, then those of the same kernels, else the first of all."""
    same = sorted(with_kernels_of(backend), key=lambda name: name != first)
    return (*([] if _runs_here(backend) else [runtime_of(backend)]), *same, first)


def _runs_here(backend: str) -> bool:
    """On the processor of this machine."""
    return split_host(backend) == (runtime_of(backend), "")


def _must_be_exact(file: BundledFile, backend: str) -> bool:
    """Whether the scores must be those of the counterpart to the last bit: the same kernels on the same
    numbers. MediaPipe and LiteRT; ONNX Runtime in Node and in Python; XNNPACK on WebAssembly, on ARM and on
    x86 where all is integers, and no softmax, which on ARM is a step off in 0.6 % of the scores. Not ONNX
    Runtime on ARM, which fuses otherwise: a ResNet-50 had 26 % of its scores a step off. Not TFLite Micro
    and the reference kernels: a step apart in 0.1 % of the scores of a ResNet-20, and in 5 % behind a mean
    over 12 x 12. And not on another machine or device, whatever the runtime: its instructions are others."""
    same = (
        registry.constant("backends", runtime_of(backend), "SAME_SCORES", "") if _runs_here(backend) else ""
    )
    if same == "integers":
        return scheme_of(file.scheme).activations == "int8" and file.scores == "logits"
    return same == "all"


def _has_other_kernels(backend: str) -> bool:
    """Old runtimes have their own, too: what rounds integers has changed from release to release."""
    return kernels_of(backend) == REFERENCE or backend in registry.declared("backends")


def judged(
    file: BundledFile,
    backends: tuple[str, str],
    ran: PredictResult,
    apart: ScoresApart,
    golden: int,
    labels: tuple[str, ...],
) -> RuntimeProof:
    """The verdict on a file in a runtime. `backends`: it, and the one whose scores it is compared with to the
    last bit; `golden` is how many golden images there are, and `labels` what their classes are called."""
    backend, counterpart = backends
    shown = None if not ran.labels else ran.labels == labels
    proof = RuntimeProof(
        file=file.path,
        backend=backend,
        status="agrees",
        device=ran.device,
        n=apart.n,
        same_top1=apart.same_top1,
        golden=golden,
        golden_same_top1=apart.golden_same_top1,
        counterpart=counterpart,
        values=apart.values,
        identical=apart.identical,
        max_abs=apart.max_abs,
        labels=shown,
    )
    least = SAME_ENOUGH if _has_other_kernels(backend) else EXACT_ENOUGH
    if shown is False:
        return replace(proof, status="differs", reason="it shows other labels than labels.txt has")
    if _must_be_exact(file, backend) and apart.identical < apart.values:
        why = f"{apart.values - apart.identical:,} of {apart.values:,} scores are not those of {counterpart}"
        return replace(proof, status="differs", reason=why)
    if apart.golden_same_top1 < golden:
        why = f"{golden - apart.golden_same_top1} of {golden} golden images get another answer"
        return replace(proof, status="differs", reason=why)
    if apart.same_top1 < least * apart.n:
        why = f"only {apart.same_top1:,} of {apart.n:,} images get the same answer; {100 * least:g} % must"
        return replace(proof, status="differs", reason=why)
    return proof
