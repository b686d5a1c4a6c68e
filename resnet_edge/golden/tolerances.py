"""Runs in a worker. How far outputs may be from golden ones, by backend, each with the measurement behind it.

A gate comes from what was measured between runtimes and processors, with head-room, and not from the run
that saves: a difference beyond it is a finding to be told, and no reason to widen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.core.results.golden_vectors import GoldenRun, GoldenTolerance
from resnet_edge.evaluation import kernels
from resnet_edge.evaluation.kernels import kernels_of, with_kernels_of
from resnet_edge.schemes import scheme_named

Values = NDArray[np.float32]

LEVELS = 256
"""What 8 bits tell apart."""


@dataclass(frozen=True)
class Gate:
    """`share` of the largest output, or `steps` of a quantized one; `why` is what was measured."""

    share: float
    why: str
    steps: int | None = None


FLOAT = Gate(1e-5, "float kernels of CPUs differ by 3e-6 of the largest output (ResNet-8 to ResNet-50)")
HALF = Gate(1e-5, "CPUs unpack weights of 16 bits, and runtimes then differ by 4e-7 (ResNet-20)")
DYNAMIC = Gate(1e-2, "kernels of dynamic range differ by 1.4e-3 between instruction sets")
DYNAMIC_ELSEWHERE = Gate(2e-2, "kernels of dynamic range of three runtimes differ by 9.3e-3 (ResNet-20)")
INT16 = Gate(1e-4, "int16 kernels of LiteRT and TFLite Micro differ by two steps, 6.5e-5 (ResNet-20)")
INT16_ELSEWHERE = Gate(2.6e-2, "OpenVINO computes int16x8 in its own way, 1.3e-2 off (ResNet-20)")
ACCELERATOR = Gate(2e-2, "accelerators may compute in half precision: bfloat16 differs by 6e-3 (ResNet-20)")
XNNPACK = Gate(1e-2, "the same int8 kernels on x86 and Arm differ by one step behind a softmax", 1)
ONNXRUNTIME = Gate(1e-2, "int8 kernels of ONNX Runtime differ by two steps between instruction sets", 3)
INT8_ELSEWHERE = Gate(8 / 255, "int8 kernels of runtimes differ by up to six steps on nets for CIFAR", 8)

STEADY = {kernels.XNNPACK, kernels.REFERENCE}
"""Whose int8 kernels give the same on x86, Arm and WebAssembly, but for a softmax."""


def quantization_step(scheme: str, outputs: Values) -> tuple[float, ...] | None:
    """The scale of 8-bit outputs that come out as real numbers; None where they lie on no grid."""
    if _activations(scheme) not in ("int8", None):
        return None
    values = np.unique(outputs.astype(np.float64))
    largest = np.abs(values).max()
    if not 1 < len(values) <= LEVELS:
        return None
    gap = np.diff(values).min()
    # A value is a whole number of steps. The largest one tells the step best: its rounding counts least.
    step = largest / np.rint(largest / gap)
    off = np.abs(values / step - np.rint(values / step)).max()
    return (float(step),) if off < 0.01 and largest / step < 2 * LEVELS else None


def tolerances(
    scheme: str,
    head: Head,
    step: tuple[float, ...] | None,
    runs: Sequence[GoldenRun],
    expected: Sequence[Values],
    largest: float,
    here: str = "",
) -> tuple[GoldenTolerance, ...]:
    """Of the runs themselves, of backends with the same kernels, of others on the CPU, and of the rest.
    `expected` are the outputs of each run for the golden images; `largest` is the largest of all images, and
    `here` what the run that saves has measured."""
    limits = []
    for number, run in enumerate(runs):
        gate = gate_of(scheme, step, run.device, run.backend)
        limits.append(
            _tolerance(run.backend, run.device, number, gate, head, step, expected[number], largest)
        )
    there = {(run.backend, run.device) for run in runs}
    for number, run in enumerate(runs):
        # Rather held against each other than against XNNPACK, which all first backends for TFLite run.
        twins = with_kernels_of(run.backend) if kernels_of(run.backend) == kernels.REFERENCE else ()
        for twin in twins:
            if (twin, run.device) in there:
                continue
            gate = gate_of(scheme, step, run.device, twin)
            limits.append(_tolerance(twin, run.device, number, gate, head, step, expected[number], largest))
    for device in ("cpu", ""):
        gate = gate_of(scheme, step, device)
        limits.append(_tolerance("", device, 0, gate, head, step, expected[0], largest, here))
    return tuple(limits)


def gate_of(scheme: str, step: tuple[float, ...] | None, device: str, backend: str = "") -> Gate:
    """What holds on `backend` against itself, on whatever processor; with no name, on one against another."""
    kind, own = _activations(scheme), kernels_of(backend)
    if step is not None or kind == "int8":
        if device == "cpu" and own == kernels.ONNXRUNTIME:
            return ONNXRUNTIME
        return XNNPACK if device == "cpu" and own in STEADY else INT8_ELSEWHERE
    if kind == "int16":
        return INT16 if device == "cpu" and own in STEADY else INT16_ELSEWHERE
    if device != "cpu":
        return ACCELERATOR
    if kind == "float16":
        return HALF
    if kind == "float32" and _weights(scheme) == "float32":
        return FLOAT
    return DYNAMIC if backend else DYNAMIC_ELSEWHERE


def allowed(gate: Gate, step: tuple[float, ...] | None, largest: float) -> float:
    """The largest difference of an output; half a step more than the steps is still rounded to them."""
    if step is not None and gate.steps is not None:
        return (gate.steps + 0.5) * max(step)
    return gate.share * largest


def _tolerance(
    backend: str,
    device: str,
    number: int,
    gate: Gate,
    head: Head,
    step: tuple[float, ...] | None,
    expected: Values,
    largest: float,
    here: str = "",
) -> GoldenTolerance:
    most = allowed(gate, step, largest)
    return GoldenTolerance(
        backend=backend,
        device=device,
        expected=number,
        max_abs=most,
        steps=gate.steps if step is not None else None,
        near_ties=near_ties(head, expected, most),
        reason=f"{limit_words(gate, step)}: {gate.why}{here}",
    )


def limit_words(gate: Gate, step: tuple[float, ...] | None) -> str:
    """How much a gate allows, for people."""
    if step is None or gate.steps is None:
        return f"{gate.share:.2g} of the largest output"
    return "1 step" if gate.steps == 1 else f"{gate.steps} steps"


def near_ties(head: Head, expected: Values, most: float) -> tuple[int, ...]:
    """The images whose two largest outputs, each `most` off, can change places; or one of whose outputs can
    pass its threshold. An embedding has no answer that could change."""
    if head.kind == "embedding":
        return ()
    if head.separate:
        apart = np.abs(expected.astype(np.float64) - head.own_thresholds)
        return tuple(map(int, np.flatnonzero((apart <= most).any(axis=1))))
    first, second = np.sort(expected.astype(np.float64), axis=1)[:, :-3:-1].T
    return tuple(map(int, np.flatnonzero(first - second <= 2 * most)))


def _activations(name: str) -> str | None:
    scheme = scheme_named(name)
    return None if scheme is None else scheme.activations


def _weights(name: str) -> str | None:
    scheme = scheme_named(name)
    return None if scheme is None else scheme.weights
