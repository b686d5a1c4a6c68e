"""int8 weights per channel, int8 activations per tensor; ranges from calibration."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="int8",
    weights="int8",
    activations="int8",
    needs_calibration=True,
)
