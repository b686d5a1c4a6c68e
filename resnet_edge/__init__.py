"""Convert a Keras ResNet to TFLite and ONNX, and prove what comes out."""

__version__ = "0.1.0"
