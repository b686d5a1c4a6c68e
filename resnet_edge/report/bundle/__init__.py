"""The documents of a bundle: what programs read, a README, a model card, golden vectors, accelerators."""
