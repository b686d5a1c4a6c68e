"""What an int8 ONNX file gives on x86 processors without VNNI, to the last bit, on any machine.

There ONNX Runtime multiplies uint8 by int8 with VPMADDUBSW, which adds two products in 16 bits and cuts off
what does not fit (Intel 64 SDM, "PMADDUBSW"; onnxruntime#6004; MLAS, QgemmU8S8KernelAvx2.asm).

    file ─► graph as ONNX Runtime optimizes it ─┬─► layers of integers ─► sums of pairs, here ─┐
                                                └─► all between them, by ONNX Runtime ─────────┴─► outputs
"""
