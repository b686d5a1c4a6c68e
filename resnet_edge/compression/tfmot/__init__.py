"""tensorflow-model-optimization, which works on Keras 2 only: the bridge to it and what runs on it."""

import tensorflow as tf

_ = tf.keras.layers
"""`tf.keras` is what is asked first: from here on Keras 3, as everywhere else. Importing tfmot would make it
tf_keras for the whole process (it sets TF_USE_LEGACY_KERAS), and then a user's class that is written with
`tf.keras` would be another model in this worker than in all others. tfmot itself takes tf_keras either way
(tensorflow_model_optimization/python/core/keras/compat.py)."""
