"""16-bit floats."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="float16",
    weights="float16",
    activations="float16",
    needs_calibration=False,
)
