"""int8 weights per channel, int16 activations; ranges from calibration."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="int8 weights, int16 activations",
    weights="int8",
    activations="int16",
    needs_calibration=True,
    min_sqnr_db=25.0,
    reason="40.7 dB on the bundled ResNet-20, 41.4 dB on a trained ResNet-8",
)
