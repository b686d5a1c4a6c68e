"""Where a model file parts from the float graph of its reference, layer by layer, whoever wrote it.

    file ─► layers (tflite_layers, onnx_layers) ─┐
                                                 ├─► pairs ─► scales ─► weights, options, grids ─► findings
    reference ─► layers ─────────────────────────┘            activations of both ─► trace ──────┘

Layers of two files belong together by what they are (kind, shape of the output, shape of the weights) and,
where several are alike, by their weights. All arrays are NHWC, weights (O, kh, kw, I), as real numbers.
"""
