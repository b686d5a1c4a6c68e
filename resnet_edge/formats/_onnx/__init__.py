"""How the portable graph becomes ONNX: one function per operation, one builder for all."""
