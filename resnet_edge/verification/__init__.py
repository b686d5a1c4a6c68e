"""`verify`: artifacts, ours or of third parties, against a Keras model or another artifact."""
