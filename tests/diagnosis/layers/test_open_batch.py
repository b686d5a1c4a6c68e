"""Files of TensorFlow's converter, whose batch is open: sizes are computed in the graph."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.diagnosis.layers.compare import compared
from resnet_edge.evaluation.source import export
from resnet_edge.evaluation.source_task import ExportModel
from resnet_edge.models import ModelRequest
from resnet_edge.workers.progress import silent


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")
def test_a_transposed_convolution_reads_its_image_and_not_its_size(tmp_path: Path) -> None:
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(6, 3, 2, padding="same", activation="relu")(image)
    x = keras.layers.Conv2DTranspose(4, 3, 2, padding="same")(x)
    answers = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, answers)
    model.save(tmp_path / "model.keras")
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    (tmp_path / "open.tflite").write_bytes(content)
    request = ModelRequest(str(tmp_path / "model.keras"), preprocess="none")
    export(ExportModel(model=request, out=str(tmp_path / "float.tflite"), dynamic_batch=False), silent)
    images = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    explanation = compared(
        "open.tflite", tmp_path / "open.tflite", "tflite", tmp_path / "float.tflite", images
    )
    assert explanation.findings == ()
    assert explanation.compared == explanation.layers == 3
