"""Runs in a worker. What Keras computes with there, for test_worker_environment."""

from __future__ import annotations

import keras

from resnet_edge.workers.progress import OnProgress


def settings(request: dict[str, str], on_progress: OnProgress) -> dict[str, object]:
    return {
        "backend": keras.config.backend(),
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
    }
