"""`prune` and `qat`: a smaller or an int8-ready model of the same kind, fine-tuned.

`pruning/` computes on Keras graphs, `tfmot/` bridges to tensorflow-model-optimization and tf_keras."""
