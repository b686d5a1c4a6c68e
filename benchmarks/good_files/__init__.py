"""Good files for false_alarms.py: networks of many kinds, what exporters make of them, and which are good.

`networks`, `applications` and `random_networks` build Keras models, `training` gives them answers that
differ between images, `tensorflow_exports`, `onnx_exports` and `our_exports` write files, `plain_loop` runs a
file image by image, and `store` keeps it all in one folder.
"""
