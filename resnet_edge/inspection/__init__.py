"""`inspect` and `doctor`: what is in a model file, and what is on this machine."""
