"""32-bit floats, as in Keras."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="float32",
    weights="float32",
    activations="float32",
    needs_calibration=False,
    min_sqnr_db=80.0,
    reason="130 dB on the bundled ResNet-20: float kernels differ by the order of rounding alone",
)
