"""Any Keras model as a functional one of Keras' own layers, channels last, with its weights."""
