"""tensorflow-model-optimization, which works on Keras 2 only: the bridge to it and what runs on it."""
