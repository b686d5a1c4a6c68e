"""The session option of ONNX Runtime for files whose sums can overflow on this processor."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.machine import adds_int8_precisely

PRECISE_SUMS = ("session.x64quantprecision", "1")
"""For files of which a pair of weights can overflow (graph/quantization/pair_bound.py), which ours cannot:
x86 processors without VNNI add pairs of uint8 x int8 products in 16 bits (onnxruntime#6004; the option came
with onnxruntime PR#12088). It makes all weights uint8, for which there is no VNNI: the bundled model then
takes 2.4 times as long. On an .ort file, which is optimized when it is written, it has no effect."""


def needs_precise_sums(path: Path) -> bool:
    """Whether PRECISE_SUMS may change what a file gives here; True where the file does not tell."""
    return path.suffix != ".ort" and not adds_int8_precisely() and _can_overflow(path)


def _can_overflow(path: Path) -> bool:
    try:
        import onnx

        from resnet_edge.graph.onnx_pairs import can_overflow

        return can_overflow(onnx.load(str(path), load_external_data=False))
    except Exception:  # onnx is not installed; protobuf's DecodeError; constants in another file; damage
        return True
