"""int8 weights per channel, int8 activations per tensor; ranges from calibration."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="int8",
    weights="int8",
    activations="int8",
    needs_calibration=True,
    min_sqnr_db=15.0,
    reason="34.7 dB on the bundled ResNet-20, 33.8 dB on a trained ResNet-8",
)
