"""Runs in a worker. What to do about sums that overflow, from what was measured."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk, Way

OPTION = "session.x64quantprecision=1"
ELSEWHERE = (
    "with VNNI, on ARM and in WebAssembly nothing overflows; for ARM, ONNX Runtime's own advice is signed "
    "activations (S8S8), which are faster there and give the same answers"
)
"""https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html. ARM and WebAssembly: the
backends onnxruntime_arm64 and onnxruntime_web give the same bits."""


def advice(risk: Int8Risk) -> Int8Risk:
    """The same, with sentences."""
    return replace(risk, advice=_sentences(risk))


def _sentences(risk: Int8Risk) -> tuple[str, ...]:
    if not risk.at_risk:
        return ("no sum of int8 products can overflow, whatever the processor",)
    ways = {way.way: way for way in risk.ways}
    cut, seven = ways[AS_IT_COMES], ways[SEVEN_BITS]
    return (_what_happens(risk, cut), _what_to_do(risk, cut, seven), ELSEWHERE)


def _what_happens(risk: Int8Risk, cut: Way) -> str:
    layers = f"in {len(risk.at_risk)} of {len(risk.layers)} layers"
    if cut.max_abs == 0:
        return (
            f"on x86 without VNNI, sums of int8 products can overflow in ONNX Runtime {layers}; on "
            f"{risk.n:,} images none did that mattered"
        )
    worst = max(risk.layers, key=lambda layer: layer.overflowed)
    return (
        f"on x86 without VNNI, sums of int8 products overflow in ONNX Runtime {layers}, most of all in "
        f"{worst.layer} ({100 * worst.overflowed:.2g} % of them): {_changed(cut)} of {risk.n:,} images "
        f"change their answer, and outputs move by up to {cut.max_abs:.3g}{_dropped(risk, cut)}"
    )


def _what_to_do(risk: Int8Risk, cut: Way, seven: Way) -> str:
    return (
        f"set {OPTION} where an app may run there (resnet-edge does): it is exact, and slower, most of all "
        f"where there is VNNI; weights in 7 bits (reduce_range) would need no option, and change about "
        f"{_changed(seven)} of the answers{_dropped(risk, seven)}"
    )


def _changed(way: Way) -> str:
    return f"{100 * (1 - way.agreement):.2f} %"


def _dropped(risk: Int8Risk, way: Way) -> str:
    if way.top1 is None or risk.top1 is None or way.drop_pp is None or way.drop_ci95_pp is None:
        return ""
    low, high = way.drop_ci95_pp
    return (
        f" (top-1 {100 * risk.top1:.2f} to {100 * way.top1:.2f} %, a drop of {way.drop_pp:.2f} pp, 95 % "
        f"interval {low:.2f} to {high:.2f})"
    )
