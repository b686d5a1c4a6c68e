"""32-bit floats, as in Keras."""

from resnet_edge.core.scheme import Scheme

SCHEME = Scheme(
    title="float32",
    weights="float32",
    activations="float32",
    needs_calibration=False,
    min_sqnr_db=80.0,
)
