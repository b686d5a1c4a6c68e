"""Dynamic range: int8 weights per channel, float activations quantized as they pass."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="dynamic range",
    weights="int8",
    activations="float32",
    needs_calibration=False,
)
