"""TFLite metadata: a flatbuffer of its own inside the model, and label files in a zip behind it.

The schema is metadata_schema.fbs 1.5.0 of tensorflow/tflite-support (file identifier M001), and how it is
stored is described in "Adding metadata to LiteRT models" (ai.google.dev/edge/litert/models/metadata): the
entry TFLITE_METADATA of the model's `metadata`, and associated files in an uncompressed zip that is
appended to the file. The writers that Google publishes do not run beside TensorFlow 2.21
(tensorflow/tflite-support#998; google-ai-edge/mediapipe 1.2.2 lacks a module of its own).
"""
