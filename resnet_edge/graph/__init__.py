"""The portable graph: the TFLite flatbuffer as the one intermediate form of every export.

TensorFlow makes it once, in float (convert.py); ranges are measured on it (quantization/calibrate.py);
quantization rewrites it (quantization/quantize.py); the formats finish it. So every artifact of a run
descends from one graph with one set of scales. Only convert.py imports TensorFlow.
"""
