"""int8 weights per channel, int16 activations; ranges from calibration."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="int8 weights, int16 activations",
    weights="int8",
    activations="int16",
    needs_calibration=True,
)
